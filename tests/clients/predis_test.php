<?php
// Predis: handshake, reads, pipelines, transactions, iterators, channels, errors, twenty switches.
// run_client.py runs it.

require 'Predis/autoload.php';

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

function connect(array $more = []): Predis\Client
{
    global $port;
    return new Predis\Client(['host' => '127.0.0.1', 'port' => $port] + $more);
}

function errorOf(callable $request): string
{
    try {
        $request();
    } catch (Predis\PredisException $error) {
        return $error->getMessage();
    }
    return '';
}

$redis = connect();
same('ping', 'PONG', (string)$redis->ping());
same('naming', 'OK', (string)$redis->client('SETNAME', 'predis'));
same('name', 'predis', $redis->client('GETNAME'));
same('list', ['predis'], array_values(array_filter(array_column($redis->client('LIST'), 'name'))));

same('get', 'hello ☃', $redis->get('string'));
same('get of nothing', null, $redis->get('missing'));
same('mget', ['', null, 'version 1'], $redis->mget('empty', 'missing', 'version'));
same('large value', 200000, strlen($redis->get('large')));
same('strlen', 200000, $redis->strlen('large'));
same('exists', 2, $redis->exists('string', 'missing', 'hash'));
same('type', 'zset', (string)$redis->type('zset'));
same('ttl', -1, $redis->ttl('string'));
same('keys', 300, count($redis->keys('item/*')));
$hash = $redis->hgetall('hash');
ksort($hash);
same('hgetall', ['' => 'empty', 'a' => '1', 'b' => 'two'], $hash);
same('hmget', ['1', null], $redis->hmget('hash', ['a', 'none']));
same('hlen', 500, $redis->hlen('bighash'));
same('lrange', ['a', 'b', 'c', 'a'], $redis->lrange('list', 0, -1));
same('lindex', 'c', $redis->lindex('list', -2));
same('smembers', ['a', 'b', 'c'], sorted($redis->smembers('set')));
same('sismember', 1, $redis->sismember('set', 'a'));
same('sinter', ['a', 'b', 'c'], sorted($redis->sinter('set', 'set')));
same('zrange', ['a' => '1', 'b' => '2.5', 'c' => 'inf'],
    $redis->zrange('zset', 0, -1, 'WITHSCORES'));
same('zrevrange', ['c', 'b'], $redis->zrevrange('zset', 0, 1));
same('zrangebyscore', ['b'], $redis->zrangebyscore('zset', '(1', 3));
same('zscore', '2.5', $redis->zscore('zset', 'b'));
same('info', true, isset($redis->info()['Server']['redis_version']));
same('dbsize', 311, $redis->dbsize());

$values = $redis->pipeline(function ($pipe) {
    for ($i = 0; $i < 300; ++$i) {
        $pipe->get("item/$i");
    }
});
same('pipeline', ['version 1 of 0', 'version 1 of 299', 300],
    [$values[0], $values[299], count($values)]);

same('transaction', ['hello ☃', ['two'], 'version 1'], $redis->transaction(
    fn ($transaction) => $transaction->get('string')->hmget('hash', ['b'])->get('version')));
same('transaction with a watched key', ['version 1'], $redis->transaction(
    ['watch' => 'version', 'cas' => true, 'retry' => 1],
    function ($transaction) {
        $transaction->get('string');
        $transaction->multi();
        $transaction->get('version');
    }));
same('write in a transaction', true, str_starts_with(errorOf(fn () => $redis->transaction(
    fn ($transaction) => $transaction->set('string', 'x'))), 'READONLY'));
same('after the refused transaction', 'PONG', (string)$redis->ping());

$iterators = [
    'scan' => [new Predis\Collection\Iterator\Keyspace($redis, 'item/*', 7), 300],
    'hscan' => [new Predis\Collection\Iterator\HashKey($redis, 'bighash', null, 7), 500],
    'sscan' => [new Predis\Collection\Iterator\SetKey($redis, 'bigset', null, 7), 500],
    'zscan' => [new Predis\Collection\Iterator\SortedSetKey($redis, 'bigzset', null, 7), 500],
];
foreach ($iterators as $name => [$iterator, $expected]) {
    $found = [];
    foreach ($iterator as $key => $value) {
        $found[] = $name === 'hscan' || $name === 'zscan' ? $key : $value;
    }
    same($name, [$expected, $expected], [count($found), count(array_unique($found))]);
}

same('write', "READONLY You can't write against a read only replica.",
    errorOf(fn () => $redis->set('string', 'x')));
same('wrong type', true, str_starts_with(errorOf(fn () => $redis->get('hash')), 'WRONGTYPE'));
same('unknown command', true,
    str_starts_with($redis->executeRaw(['NOSUCH'], $isError), 'ERR unknown command') && $isError);

// Messages from another connection.
$consumer = connect(['read_write_timeout' => 60])->pubSubLoop();
$consumer->subscribe('news');
foreach ($consumer as $message) {
    if ($message->kind === 'subscribe') {
        same('publish', 1, $redis->publish('news', 'tea is ready'));
    } elseif ($message->kind === 'message') {
        same('message', ['news', 'tea is ready'], [$message->channel, $message->payload]);
        $consumer->stop();
    }
}

// Twenty switches under load; every one is announced.
$announced = connect(['read_write_timeout' => 60])->pubSubLoop();
$announced->psubscribe($channels);
$announced->current();
$names = array_map(fn ($i) => "item/$i", range(0, 99));
$last = 0;
while ($last < 21) {
    [$version, $first, $hundred] = $redis->transaction(function ($transaction) {
        $transaction->get('version')->get('item/0')->get('item/99');
    });
    same('one version in a transaction', ["$version of 0", "$version of 99"], [$first, $hundred]);
    $versions = array_unique(array_map(fn ($value) => explode(' of ', $value)[0],
        $redis->mget($names)));
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
$announcements = 0;
while ($announcements < 20) {
    $announcements += $announced->current()->kind === 'pmessage' ? 1 : 0;
}

exit($failures === 0 ? 0 : 1);
