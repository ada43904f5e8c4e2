# Redis.pm: handshake, reads, pipelines, transactions, scans, channels, errors, twenty switches.
# run_client.py runs it.

use strict;
use warnings;
use utf8;
use Redis;

my ($port, $channels) = @ARGV;
my $failures = 0;
$| = 1;
binmode(STDOUT, ':utf8');

sub shown {
    my ($value) = @_;
    return 'nothing' unless defined $value;
    return ref $value eq 'ARRAY' ? '[' . join(', ', map { shown($_) } @$value) . ']' : "'$value'";
}

sub same {
    my ($what, $expected, $found) = map { ref || !defined ? $_ : "$_" } @_;
    return if shown($expected) eq shown($found);
    $failures++;
    print "$what: expected ", shown($expected), ', found ', shown($found), "\n";
}

sub make_connection {
    return Redis->new(server => "127.0.0.1:$port", read_timeout => 60, @_);
}

sub error_of {
    my ($request) = @_;
    eval { $request->(); 1 } and return '';
    my $error = $@;
    $error =~ s/, +at .*//s;
    return $error;
}

# Every element of a scan, by pages of seven.
sub scanned {
    my ($page) = @_;
    my ($cursor, @all) = (0);
    do {
        my $found;
        ($cursor, $found) = $page->($cursor, COUNT => 7);
        push @all, @$found;
    } while ($cursor ne '0');
    return @all;
}

my $redis = make_connection(name => 'perl');
same('ping', 'PONG', $redis->ping);
same('name', 'perl', $redis->client_getname);
same('list', 1, scalar($redis->client_list =~ /name=perl/));

my $greeting = $redis->get('string');
utf8::decode($greeting);
same('get', 'hello ☃', $greeting);
same('get of nothing', undef, scalar $redis->get('missing'));
same('mget', ['', undef, 'version 1'], [$redis->mget('empty', 'missing', 'version')]);
same('large value', 200000, length $redis->get('large'));
same('strlen', 200000, $redis->strlen('large'));
same('exists', 1, $redis->exists('string'));
same('type', 'zset', $redis->type('zset'));
same('ttl', -1, $redis->ttl('string'));
same('keys', 300, scalar(my @keys = $redis->keys('item/*')));
my %hash = $redis->hgetall('hash');
same('hgetall', ['', 'empty', 'a', '1', 'b', 'two'], [map { $_ => $hash{$_} } sort keys %hash]);
same('hmget', ['1', undef], [$redis->hmget('hash', 'a', 'none')]);
same('hlen', 500, $redis->hlen('bighash'));
same('lrange', ['a', 'b', 'c', 'a'], [$redis->lrange('list', 0, -1)]);
same('lindex', 'c', $redis->lindex('list', -2));
same('smembers', ['a', 'b', 'c'], [sort $redis->smembers('set')]);
same('sismember', 1, $redis->sismember('set', 'a'));
same('sunion', ['a', 'b', 'c'], [sort $redis->sunion('set', 'missing')]);
same('zrange', ['a', 1, 'b', 2.5, 'c', 'inf'], [$redis->zrange('zset', 0, -1, 'WITHSCORES')]);
same('zrevrange', ['c', 'b'], [$redis->zrevrange('zset', 0, 1)]);
same('zrangebyscore', ['b'], [$redis->zrangebyscore('zset', '(1', '3')]);
same('zscore', 2.5, $redis->zscore('zset', 'b'));
same('info', 1, scalar($redis->info->{redis_version} =~ /^7\.0\./));
same('dbsize', 311, $redis->dbsize);

my @values;
$redis->get("item/$_", sub { push @values, $_[0] }) for 0 .. 299;
$redis->wait_all_responses;
same('pipeline', ['version 1 of 0', 'version 1 of 299', 300], [@values[0, 299], scalar @values]);

$redis->watch('version');
$redis->multi;
$redis->get('empty');
$redis->hmget('hash', 'b');
$redis->get('version');
same('transaction', ['', ['two'], 'version 1'], [$redis->exec]);
$redis->multi;
same('write in a transaction', "[set] READONLY You can't write against a read only replica.",
    error_of(sub { $redis->set('string', 'x') }));
same('the refused transaction',
    '[exec] EXECABORT Transaction discarded because of previous errors.',
    error_of(sub { $redis->exec }));
$redis->multi;
same('discard', 'OK', $redis->discard);
$redis->unwatch;

same('scan', 300, scalar scanned(sub { $redis->scan(shift, MATCH => 'item/*', @_) }));
same('hscan', 1000, scalar scanned(sub { $redis->hscan('bighash', @_) }));
same('sscan', 500, scalar scanned(sub { $redis->sscan('bigset', @_) }));
same('zscan', 1000, scalar scanned(sub { $redis->zscan('bigzset', @_) }));

same('write', "[set] READONLY You can't write against a read only replica.",
    error_of(sub { $redis->set('string', 'x') }));
same('wrong type', '[get] WRONGTYPE Operation against a key holding the wrong kind of value',
    error_of(sub { $redis->get('hash') }));
same('unknown command', 1, scalar(error_of(sub { $redis->nosuch }) =~ /ERR unknown command/));

# Messages from another connection.
my $subscriber = make_connection();
my @heard;
my $hear = sub { push @heard, [@_[0, 1]] };
$subscriber->subscribe('news', $hear);
same('publish', 1, $redis->publish('news', 'tea is ready'));
$subscriber->wait_for_messages(1) until @heard;
same('message', [['tea is ready', 'news']], \@heard);
$subscriber->unsubscribe('news', $hear);
same('after unsubscribing', 'PONG', $subscriber->ping);

# Twenty switches under load; every one is announced.
my $announcements = 0;
$subscriber->psubscribe($channels, sub { $announcements++ });
my $last = 0;
while ($last < 21) {
    $redis->multi;
    $redis->get($_) for 'version', 'item/0', 'item/99';
    my ($version, @of) = $redis->exec;
    same('one version in a transaction', ["$version of 0", "$version of 99"], \@of);
    my %versions = map { /^version (\d+) of/ => 1 } $redis->mget(map { "item/$_" } 0 .. 99);
    same('one version in a request', 1, scalar keys %versions);
    my ($now) = keys %versions;
    same('never back', $last, $now) if $now < $last;
    print "version $now\n" if $now > $last;
    $last = $now;
}
$subscriber->wait_for_messages(1) while $announcements < 20;

exit($failures == 0 ? 0 : 1);
