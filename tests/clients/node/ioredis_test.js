// ioredis: ready check, reads, pipelines, transactions, scans, channels, errors, twenty switches.
// Arguments: the package, the port, the announcements' channels. run_client.py gives the last two.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');

const [packageName, port, channels] = process.argv.slice(2);
const { Redis, ReplyError } = require(packageName);
let failures = 0;

function same(what, expected, found) {
  try {
    assert.deepStrictEqual(found, expected);
  } catch {
    ++failures;
    console.log(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
  }
}

function connect(more = {}) {
  const redis = new Redis({ port: Number(port), retryStrategy: null, ...more });
  redis.on('error', (error) => {
    same('connection', 'no error', error.message);
    process.exit(1);
  });
  return redis;
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    same('class of the error', true, error instanceof ReplyError);
    return error.message;
  }
  return '';
}

const range = (count) => [...Array(count).keys()];
const items = range(300).map((i) => `item/${i}`);

async function checkReads(redis) {
  same('ping', 'PONG', await redis.ping());
  same('name', 'ioredis', await redis.client('GETNAME'));
  same('get', 'hello ☃', await redis.get('string'));
  same('get of nothing', null, await redis.get('missing'));
  same('get of bytes', Buffer.from('hello ☃'), await redis.getBuffer('string'));
  same('mget', ['', null, 'version 1'], await redis.mget('empty', 'missing', 'version'));
  same('large value', 200000, (await redis.get('large')).length);
  same('exists', 2, await redis.exists('string', 'missing', 'hash'));
  same('type', 'zset', await redis.type('zset'));
  same('ttl', -1, await redis.ttl('string'));
  same('keys', 300, (await redis.keys('item/*')).length);
  same('hgetall', { '': 'empty', a: '1', b: 'two' }, { ...await redis.hgetall('hash') });
  same('hmget', ['1', null], await redis.hmget('hash', 'a', 'none'));
  same('hlen', 500, await redis.hlen('bighash'));
  same('lrange', ['a', 'b', 'c', 'a'], await redis.lrange('list', 0, -1));
  same('smembers', ['a', 'b', 'c'], (await redis.smembers('set')).sort());
  same('sinter', ['a', 'b', 'c'], (await redis.sinter('set', 'set')).sort());
  same('zrange', ['a', 'b', 'c'], await redis.zrange('zset', 0, -1));
  same('zrangebyscore', ['b'], await redis.zrangebyscore('zset', '(1', 3));
  same('zscore', 2.5, Number(await redis.zscore('zset', 'b')));
  same('dbsize', 311, await redis.dbsize());
  same('info', true, (await redis.info()).includes('loading:0'));
}

async function checkPipelinesAndTransactions(redis) {
  const pipeline = redis.pipeline();
  items.forEach((key) => pipeline.get(key));
  same('pipeline', range(300).map((i) => [null, `version 1 of ${i}`]), await pipeline.exec());
  same('automatic pipeline', 'version 1 of 7',
    (await Promise.all(items.map((key) => redis.get(key))))[7]);

  same('transaction', [[null, 'hello ☃'], [null, ['two']], [null, 'version 1']],
    await redis.multi().get('string').hmget('hash', 'b').get('version').exec());
  await redis.watch('version');
  same('transaction with a watched key', [[null, 'version 1']],
    await redis.multi().get('version').exec());
  same('write in a transaction',
    'EXECABORT Transaction discarded because of previous errors.',
    await errorOf(redis.multi().set('string', 'x').exec()));
  same('after the refused transaction', 'PONG', await redis.ping());
}

async function scanned(stream) {
  const all = [];
  for await (const page of stream) all.push(...page);
  return all.length;
}

async function checkScansAndErrors(redis) {
  same('scan', 300, await scanned(redis.scanStream({ match: 'item/*', count: 7 })));
  same('hscan', 1000, await scanned(redis.hscanStream('bighash', { count: 7 })));
  same('sscan', 500, await scanned(redis.sscanStream('bigset', { count: 7 })));
  same('zscan', 1000, await scanned(redis.zscanStream('bigzset', { count: 7 })));

  same('write', "READONLY You can't write against a read only replica.",
    await errorOf(redis.set('string', 'x')));
  same('wrong type', 'WRONGTYPE Operation against a key holding the wrong kind of value',
    await errorOf(redis.get('hash')));
  same('unknown command', true,
    (await errorOf(redis.call('NOSUCH'))).startsWith('ERR unknown command'));
}

async function checkMessages(redis, subscriber) {
  same('subscribe', 1, await subscriber.subscribe('news'));
  const heard = once(subscriber, 'message');
  same('publish', 1, await redis.publish('news', 'tea is ready'));
  same('message', ['news', 'tea is ready'], await heard);
  same('unsubscribe', 0, await subscriber.unsubscribe('news'));
  same('after unsubscribing', 'PONG', await subscriber.ping());
}

async function followSwitches(redis, subscriber) {
  let announcements = 0;
  const all = new Promise((resolve) => {
    subscriber.on('pmessage', () => { if (++announcements === 20) resolve(); });
  });
  await subscriber.psubscribe(channels);
  for (let last = 0; last < 21;) {
    const [values, transaction] = await Promise.all([
      redis.mget(items), redis.multi().get('version').get('item/0').get('item/99').exec()]);
    const versions = [...new Set(values.map((value) => value.split(' of ')[0]))];
    same('one version in a request', 1, versions.length);
    const [[, version], [, first], [, hundred]] = transaction;
    same('one version in a transaction', [`${version} of 0`, `${version} of 99`],
      [first, hundred]);
    const now = Number(versions[0].slice('version '.length));
    if (now < last) same('never back', last, now);
    if (now > last) console.log(`version ${now}`);
    last = now;
  }
  await all;
}

async function main() {
  const redis = connect({ connectionName: 'ioredis' });
  const subscriber = connect();
  await checkReads(redis);
  await checkPipelinesAndTransactions(redis);
  await checkScansAndErrors(redis);
  await checkMessages(redis, subscriber);
  await followSwitches(redis, subscriber);
  redis.disconnect();
  subscriber.disconnect();
  process.exitCode = failures === 0 ? 0 : 1;
}

main();
