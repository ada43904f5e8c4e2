# redis-rb: handshake, reads, pipelines, transactions, scans, channels, errors, twenty switches.
# run_client.py runs it.

require 'redis'

$stdout.sync = true
$failures = 0
PORT, CHANNELS = ARGV

def same(what, expected, found)
  return if expected == found

  $failures += 1
  puts "#{what}: expected #{expected.inspect}, found #{found.inspect}"
end

def connect(**more)
  Redis.new(host: '127.0.0.1', port: PORT.to_i, timeout: 60, reconnect_attempts: 0, **more)
end

def error_of
  yield
  ''
rescue Redis::CommandError => e
  e.message
end

redis = connect(id: 'ruby')
same('ping', 'PONG', redis.ping)
same('name', 'ruby', redis.client(:getname))
same('list', 1, redis.client(:list).count { |client| client['name'] == 'ruby' })

same('get', 'hello ☃', redis.get('string'))
same('get of nothing', nil, redis.get('missing'))
same('mget', ['', nil, 'version 1'], redis.mget('empty', 'missing', 'version'))
same('mapped mget', { 'empty' => '', 'version' => 'version 1' },
     redis.mapped_mget('empty', 'version'))
same('large value', 200_000, redis.get('large').length)
same('exists', 2, redis.exists('string', 'missing', 'hash'))
same('type', 'zset', redis.type('zset'))
same('ttl', -1, redis.ttl('string'))
same('keys', 300, redis.keys('item/*').length)
same('hgetall', { '' => 'empty', 'a' => '1', 'b' => 'two' }, redis.hgetall('hash'))
same('hmget', ['1', nil], redis.hmget('hash', 'a', 'none'))
same('hexists', true, redis.hexists('hash', 'a'))
same('hlen', 500, redis.hlen('bighash'))
same('lrange', %w[a b c a], redis.lrange('list', 0, -1))
same('lindex', 'c', redis.lindex('list', -2))
same('smembers', %w[a b c], redis.smembers('set').sort)
same('sismember', true, redis.sismember('set', 'a'))
same('sdiff', %w[a b c], redis.sdiff('set', 'missing').sort)
same('zrange', [['a', 1.0], ['b', 2.5], ['c', Float::INFINITY]],
     redis.zrange('zset', 0, -1, with_scores: true))
same('zrevrange', %w[c b], redis.zrevrange('zset', 0, 1))
same('zrangebyscore', %w[b], redis.zrangebyscore('zset', '(1', '3'))
same('zscore', 2.5, redis.zscore('zset', 'b'))
same('zmscore', [1.0, nil], redis.zmscore('zset', 'a', 'none'))
same('info', true, redis.info.key?('redis_version'))
same('dbsize', 311, redis.dbsize)

values = redis.pipelined { |pipeline| 300.times { |i| pipeline.get("item/#{i}") } }
same('pipeline', ['version 1 of 0', 'version 1 of 299', 300],
     [values[0], values[299], values.length])

same('transaction', ['hello ☃', ['two'], 'version 1'], redis.multi do |transaction|
  transaction.get('string')
  transaction.hmget('hash', 'b')
  transaction.get('version')
end)
same('transaction with a watched key', ['version 1'],
     redis.watch('version') { redis.multi { |transaction| transaction.get('version') } })
same('write in a transaction', "READONLY You can't write against a read only replica.",
     error_of { redis.multi { |transaction| transaction.set('string', 'x') } })
same('after the refused transaction', 'PONG', redis.ping)

same('scan', 300, redis.scan_each(match: 'item/*', count: 7).to_a.uniq.length)
same('hscan', 500, redis.hscan_each('bighash', count: 7).to_h.length)
same('sscan', 500, redis.sscan_each('bigset', count: 7).to_a.uniq.length)
same('zscan', 500, redis.zscan_each('bigzset', count: 7).to_h.length)

same('write', "READONLY You can't write against a read only replica.",
     error_of { redis.set('string', 'x') })
same('wrong type', 'WRONGTYPE Operation against a key holding the wrong kind of value',
     error_of { redis.get('hash') })
same('unknown command', true, error_of { redis.call('NOSUCH') }.start_with?('ERR unknown command'))

# Messages from another connection.
subscriber = connect
subscriber.subscribe('news') do |on|
  on.subscribe { same('publish', 1, redis.publish('news', 'tea is ready')) }
  on.message do |channel, message|
    same('message', ['news', 'tea is ready'], [channel, message])
    subscriber.unsubscribe
  end
end
same('after unsubscribing', 'PONG', subscriber.ping)

# Twenty switches under load; every one is announced.
listening = Queue.new
announced = Thread.new do
  announcements = 0
  subscriber.psubscribe(CHANNELS) do |on|
    on.psubscribe { listening << true }
    on.pmessage { subscriber.punsubscribe if (announcements += 1) == 20 }
  end
end
listening.pop
names = (0..99).map { |i| "item/#{i}" }
last = 0
while last < 21
  version, *of = redis.multi do |transaction|
    %w[version item/0 item/99].each { |key| transaction.get(key) }
  end
  same('one version in a transaction', ["#{version} of 0", "#{version} of 99"], of)
  versions = redis.mget(names).map { |value| value[/\Aversion (\d+) of/, 1].to_i }.uniq
  same('one version in a request', 1, versions.length)
  now = versions.first
  same('never back', last, now) if now < last
  puts "version #{now}" if now > last
  last = now
end
announced.join

exit($failures.zero? ? 0 : 1)
