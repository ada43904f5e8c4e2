<?php
// phpredis: handshake, reads, pipelines, transactions, scans, channels, errors, twenty switches.
// run_client.py runs it.

[, $port, $channels] = $argv;
$failures = 0;

function same(string $what, $expected, $found): void
{
    global $failures;
    if ($expected === $found) {
        return;
    }
    ++$failures;
    echo "$what: expected ", json_encode($expected), ', found ', json_encode($found), "\n";
}

function sorted(array $values): array
{
    sort($values);
    return $values;
}

// The message of the error that `$request` ends with: thrown, or left on the connection.
function errorOf(Redis $redis, callable $request): string
{
    $redis->clearLastError();
    try {
        $request();
    } catch (RedisException $error) {
        return $error->getMessage();
    }
    return (string)$redis->getLastError();
}

function connect(): Redis
{
    global $port;
    $redis = new Redis();
    $redis->connect('127.0.0.1', (int)$port, 60.0);
    return $redis;
}

$redis = connect();

same('ping', true, $redis->ping());
same('echo', 'x', $redis->echo('x'));
same('client name', true, $redis->client('setname', 'php'));
same('client name', 'php', $redis->client('getname'));

same('get', 'hello ☃', $redis->get('string'));
same('get of nothing', false, $redis->get('missing'));
same('large value', 200000, strlen($redis->get('large')));
same('mget', ['', false, 'version 1'], $redis->mGet(['empty', 'missing', 'version']));
same('strlen', 200000, $redis->strlen('large'));
same('getrange', 'hell', $redis->getRange('string', 0, 3));
same('exists', 2, $redis->exists('string', 'missing', 'hash'));
same('type', Redis::REDIS_ZSET, $redis->type('zset'));
same('ttl', -1, $redis->ttl('string'));
same('pttl', -2, $redis->pttl('missing'));
same('keys', 300, count($redis->keys('item/*')));
same('randomkey', 1, $redis->exists($redis->randomKey()));

same('hget', 'two', $redis->hGet('hash', 'b'));
same('hmget', ['a' => '1', 'none' => false], $redis->hMGet('hash', ['a', 'none']));
$hash = $redis->hGetAll('hash');
ksort($hash);
same('hgetall', ['' => 'empty', 'a' => '1', 'b' => 'two'], $hash);
same('hkeys', ['', 'a', 'b'], sorted($redis->hKeys('hash')));
same('hvals', ['1', 'empty', 'two'], sorted($redis->hVals('hash')));
same('hlen', 500, $redis->hLen('bighash'));
same('hexists', true, $redis->hExists('hash', 'a'));

same('llen', 4, $redis->lLen('list'));
same('lindex', 'c', $redis->lIndex('list', -2));
same('lrange', ['a', 'b', 'c', 'a'], $redis->lRange('list', 0, -1));
same('scard', 3, $redis->sCard('set'));
same('sismember', true, $redis->sIsMember('set', 'a'));
same('smembers', ['a', 'b', 'c'], sorted($redis->sMembers('set')));
same('zcard', 3, $redis->zCard('zset'));
same('zscore', 2.5, $redis->zScore('zset', 'b'));
same('zrank', 2, $redis->zRank('zset', 'c'));
same('zcount', 2, $redis->zCount('zset', '(1', '+inf'));
same('zrange', ['a', 'b', 'c'], $redis->zRange('zset', 0, -1));
same('zrange with scores', ['a' => 1.0, 'b' => 2.5, 'c' => INF],
    $redis->zRange('zset', 0, -1, true));

$redis->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
$found = 0;
for ($cursor = null; $keys = $redis->scan($cursor, 'item/*', 7);) {
    $found += count($keys);
}
same('scan', 300, $found);
foreach (['hScan' => 'bighash', 'sScan' => 'bigset', 'zScan' => 'bigzset'] as $scan => $key) {
    $found = 0;
    for ($cursor = null; $elements = $redis->$scan($key, $cursor, '*', 7);) {
        $found += count($elements);
    }
    same($scan, 500, $found);
}

$pipeline = $redis->multi(Redis::PIPELINE);
for ($i = 0; $i < 300; ++$i) {
    $pipeline->get("item/$i");
}
$values = $pipeline->exec();
same('pipeline', 'version 1 of 299', $values[299]);
same('pipeline', 300, count($values));

same('transaction', ['hello ☃', ['b' => 'two'], 'version 1'],
    $redis->multi()->get('string')->hMGet('hash', ['b'])->get('version')->exec());
$redis->watch('version');
same('transaction with a watched key', ['version 1'], $redis->multi()->get('version')->exec());
same('discarded transaction', true, $redis->multi()->get('version')->discard());
same('write in a transaction', "READONLY You can't write against a read only replica.",
    errorOf($redis, fn () => $redis->multi()->set('string', 'x')));
same('the refused transaction', [], $redis->exec());
same('after the refused transaction', true, $redis->ping());

$refused = errorOf($redis, fn () => $redis->set('string', 'x'));
same('write', "READONLY You can't write against a read only replica.", $refused);
same('wrong type', true,
    str_starts_with(errorOf($redis, fn () => $redis->get('hash')), 'WRONGTYPE'));
same('unknown command', true,
    str_contains(errorOf($redis, fn () => $redis->rawCommand('NOSUCH')), 'unknown command'));
same('info', true, isset($redis->info()['redis_version']));
same('dbsize', 311, $redis->dbSize());

// Twenty switches under load; every one is announced. This library hands messages to a function
// only, so the loop of reads runs there: another process's message begins it.
function followSwitches(Redis $redis): void
{
    $names = array_map(fn ($i) => "item/$i", range(0, 99));
    $last = 0;
    while ($last < 21) {
        [$version, $first, $hundred] =
            $redis->multi()->get('version')->get('item/0')->get('item/99')->exec();
        same('one version in a transaction', ["$version of 0", "$version of 99"],
            [$first, $hundred]);
        $versions = array_unique(array_map(fn ($value) => explode(' of ', $value)[0],
            $redis->mGet($names)));
        same('one version in a request', 1, count($versions));
        $now = (int)substr($versions[0], strlen('version '));
        if ($now < $last) {
            same('never back', $last, $now);
        }
        if ($now > $last) {
            echo "version $now\n";
        }
        $last = $now;
    }
}

if (pcntl_fork() === 0) {
    $publisher = connect();
    while ($publisher->publish('news', 'tea is ready') === 0);
    exit(0);
}
$subscriber = connect();
$subscriber->setOption(Redis::OPT_READ_TIMEOUT, 60);
$announcements = 0;
try {
    $subscriber->psubscribe([$channels, 'news'],
        function ($subscriber, $pattern, $channel, $message) use ($redis, &$announcements) {
            if ($pattern === 'news') {
                same('message', ['news', 'tea is ready'], [$channel, $message]);
                followSwitches($redis);
            } elseif (++$announcements === 20) {
                $subscriber->close();
            }
        });
} catch (RedisException $closed) {
    same('the end of the messages', 'Connection closed', $closed->getMessage());
}
same('announcements', 20, $announcements);

exit($failures === 0 ? 0 : 1);
