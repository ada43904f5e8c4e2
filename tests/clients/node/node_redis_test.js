// node-redis in RESP3: reads, pipelines, transactions, scans, channels, errors, its cache in the
// client, twenty switches. Arguments: the package, the port, the announcements' channels.
// run_client.py gives the last two.
'use strict';

const assert = require('node:assert');

const [packageName, port, channels] = process.argv.slice(2);
const { createClient, BasicClientSideCache, ErrorReply, MultiErrorReply } = require(packageName);
let failures = 0;

function same(what, expected, found) {
  try {
    assert.deepStrictEqual(found, expected);
  } catch {
    ++failures;
    console.log(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
  }
}

async function connect(more = {}) {
  const redis = createClient({
    RESP: 3, socket: { port: Number(port), reconnectStrategy: false }, ...more });
  redis.on('error', (error) => {
    same('connection', 'no error', error.message);
    process.exit(1);
  });
  return redis.connect();
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MultiErrorReply) return error.replies[0].message;
    same('class of the error', true, error instanceof ErrorReply);
    return error.message;
  }
  return '';
}

const range = (count) => [...Array(count).keys()];
const items = range(300).map((i) => `item/${i}`);

async function checkReads(redis) {
  same('ping', 'PONG', await redis.ping());
  same('name', 'node', await redis.clientGetName());
  same('this connection', [3, 'node'], await redis.clientInfo().then((me) => [me.resp, me.name]));
  same('get', 'hello ☃', await redis.get('string'));
  same('get of nothing', null, await redis.get('missing'));
  same('mget', ['', null, 'version 1'], await redis.mGet(['empty', 'missing', 'version']));
  same('large value', 200000, (await redis.get('large')).length);
  same('exists', 2, await redis.exists(['string', 'missing', 'hash']));
  same('type', 'zset', await redis.type('zset'));
  same('ttl', -1, await redis.ttl('string'));
  same('keys', 300, (await redis.keys('item/*')).length);
  same('hgetall', { '': 'empty', a: '1', b: 'two' }, { ...await redis.hGetAll('hash') });
  same('hmget', ['1', null], await redis.hmGet('hash', ['a', 'none']));
  same('hlen', 500, await redis.hLen('bighash'));
  same('lrange', ['a', 'b', 'c', 'a'], await redis.lRange('list', 0, -1));
  same('smembers', ['a', 'b', 'c'], (await redis.sMembers('set')).sort());
  same('sismember', 1, await redis.sIsMember('set', 'a'));
  same('sinter', ['a', 'b', 'c'], (await redis.sInter(['set', 'set'])).sort());
  same('zrange', [{ value: 'a', score: 1 }, { value: 'b', score: 2.5 },
    { value: 'c', score: Infinity }], await redis.zRangeWithScores('zset', 0, -1));
  same('zrangebyscore', ['b'], await redis.zRangeByScore('zset', '(1', 3));
  same('zmscore', [1, null], await redis.zmScore('zset', ['a', 'none']));
  same('dbsize', 311, await redis.dbSize());
  same('info', true, (await redis.info()).includes('redis_version:7.0.'));
}

async function checkPipelinesAndTransactions(redis) {
  same('pipeline', range(300).map((i) => `version 1 of ${i}`),
    await Promise.all(items.map((key) => redis.get(key))));
  same('transaction', ['hello ☃', ['two'], 'version 1'],
    await redis.multi().get('string').hmGet('hash', ['b']).get('version').exec());
  await redis.watch('version');
  same('transaction with a watched key', ['version 1'],
    await redis.multi().get('version').exec());
  same('write in a transaction', "READONLY You can't write against a read only replica.",
    await errorOf(redis.multi().set('string', 'x').exec()));
  same('after the refused transaction', 'PONG', await redis.ping());
}

async function scanned(pages) {
  const all = [];
  for await (const page of pages) all.push(...page);
  return all.length;
}

async function checkScansAndErrors(redis) {
  same('scan', 300, await scanned(redis.scanIterator({ MATCH: 'item/*', COUNT: 7 })));
  same('hscan', 500, await scanned(redis.hScanIterator('bighash', { COUNT: 7 })));
  same('sscan', 500, await scanned(redis.sScanIterator('bigset', { COUNT: 7 })));
  same('zscan', 500, await scanned(redis.zScanIterator('bigzset', { COUNT: 7 })));

  same('write', "READONLY You can't write against a read only replica.",
    await errorOf(redis.set('string', 'x')));
  same('wrong type', 'WRONGTYPE Operation against a key holding the wrong kind of value',
    await errorOf(redis.get('hash')));
  same('unknown command', true,
    (await errorOf(redis.sendCommand(['NOSUCH']))).startsWith('ERR unknown command'));
}

async function checkMessages(redis, subscriber) {
  const heard = new Promise((resolve) => {
    subscriber.subscribe('news', (message, channel) => resolve([channel, message]))
      .then(() => redis.publish('news', 'tea is ready'))
      .then((receivers) => same('publish', 1, receivers));
  });
  same('message', ['news', 'tea is ready'], await heard);
  await subscriber.unsubscribe('news');
  same('after unsubscribing', 'PONG', await subscriber.ping());
}

// One client reads what is there, the other what it remembers until it is told to forget.
async function followSwitches(redis, subscriber, cached, cache) {
  let announcements = 0;
  const all = new Promise((resolve) => {
    subscriber.pSubscribe(channels, () => { if (++announcements === 20) resolve(); });
  });
  await subscriber.ping();
  let lastCached = 0;
  for (let last = 0; last < 21 || lastCached < 21;) {
    const [values, [version, first, hundred], remembered] = await Promise.all([
      redis.mGet(items), redis.multi().get('version').get('item/0').get('item/99').exec(),
      cached.get('version')]);
    const versions = [...new Set(values.map((value) => value.split(' of ')[0]))];
    same('one version in a request', 1, versions.length);
    same('one version in a transaction', [`${version} of 0`, `${version} of 99`],
      [first, hundred]);
    const now = Number(versions[0].slice('version '.length));
    const nowCached = Number(remembered.slice('version '.length));
    if (now < last) same('never back', last, now);
    if (nowCached < lastCached) same('never back in the cache', lastCached, nowCached);
    if (now > last) console.log(`version ${now}`);
    last = now;
    lastCached = nowCached;
  }
  await all;
  same('answered from the cache', true, cache.stats().hitCount > 0);
}

async function main() {
  const redis = await connect({ name: 'node' });
  const subscriber = await connect();
  const cache = new BasicClientSideCache();
  const cached = await connect({ clientSideCache: cache });
  await checkReads(redis);
  await checkPipelinesAndTransactions(redis);
  await checkScansAndErrors(redis);
  await checkMessages(redis, subscriber);
  await followSwitches(redis, subscriber, cached, cache);
  await Promise.all([redis.close(), subscriber.close(), cached.close()]);
  process.exitCode = failures === 0 ? 0 : 1;
}

main();
