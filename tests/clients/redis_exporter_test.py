"""The exporter of Redis metrics for Prometheus, over loopback: a scrape without an error, and the
metrics that dashboards and alarms are made of."""

import contextlib
import re
import subprocess
import tempfile
import unittest
import urllib.request

import client_sources
from harness.servers import free_port

# Those of the exporter's own dashboard and alarms; a real Redis gives all of them.
WANTED = """
    redis_blocked_clients redis_cluster_enabled redis_commands_duration_seconds_total
    redis_commands_failed_calls_total redis_commands_processed_total
    redis_commands_rejected_calls_total redis_commands_total redis_config_maxclients
    redis_config_maxmemory redis_connected_clients redis_connected_slaves
    redis_connections_received_total redis_cpu_sys_seconds_total redis_cpu_user_seconds_total
    redis_db_keys redis_db_keys_expiring redis_errors_total redis_evicted_keys_total
    redis_expired_keys_total redis_instance_info redis_keyspace_hits_total
    redis_keyspace_misses_total redis_last_slow_execution_duration_seconds
    redis_latency_percentiles_usec redis_loading_dump_file redis_mem_fragmentation_ratio
    redis_memory_max_bytes redis_memory_used_bytes redis_memory_used_peak_bytes
    redis_memory_used_rss_bytes redis_net_input_bytes_total redis_net_output_bytes_total
    redis_process_id redis_pubsub_channels redis_pubsub_patterns
    redis_rdb_changes_since_last_save redis_rdb_last_bgsave_status
    redis_rdb_last_save_timestamp_seconds redis_rejected_connections_total redis_slowlog_last_id
    redis_slowlog_length redis_start_time_seconds redis_total_error_replies
    redis_tracking_clients redis_uptime_in_seconds""".split()


class RedisExporterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = cls.enterClassContext(contextlib.ExitStack())
        source = client_sources.start(stack)
        with source.server.connect() as connection:
            for key in ("string", "missing"):
                connection.call("GET", key)
            connection.call("SET", "string", "x")  # an error to be counted
        cls.log = stack.enter_context(tempfile.TemporaryFile("w+"))
        port = free_port()
        exporter = subprocess.Popen(
            ["prometheus-redis-exporter", "-redis.addr",
             f"redis://127.0.0.1:{source.server.port}", "-web.listen-address",
             f"127.0.0.1:{port}", "-check-keys", "item/1*", "-check-single-keys", "bighash",
             "-include-system-metrics"],
            stdin=subprocess.DEVNULL, stdout=cls.log, stderr=cls.log)
        try:
            text = cls.scrape(exporter, f"http://127.0.0.1:{port}/metrics")
        finally:
            exporter.terminate()
            exporter.wait()
        cls.metrics = {}
        for line in text.splitlines():
            found = re.fullmatch(r"(redis_\w+)(\{.*\})? (\S+)", line)
            if found:
                cls.metrics.setdefault(found[1], {})[found[2] or ""] = float(found[3])

    @staticmethod
    def scrape(exporter, url):
        while True:
            try:
                with urllib.request.urlopen(url, timeout=60) as answer:
                    return answer.read().decode()
            except OSError:
                try:
                    exporter.wait(timeout=0.02)  # not listening yet; or it has ended
                except subprocess.TimeoutExpired:
                    continue
                raise

    def value(self, name, labels=""):
        return self.metrics[name][labels]

    def test_the_scrape_is_clean(self):
        self.assertEqual(self.value("redis_up"), 1)
        self.assertEqual(self.value("redis_exporter_last_scrape_error", '{err=""}'), 0)
        self.log.seek(0)
        complaints = [line for line in self.log if not re.search("level=info", line)]
        self.assertEqual(complaints, [])

    def test_the_metrics_of_dashboards_are_there(self):
        self.assertEqual([name for name in WANTED if name not in self.metrics], [])

    def test_values_are_true(self):
        self.assertEqual(self.value("redis_db_keys", '{db="db0"}'), 311)
        self.assertGreaterEqual(self.value("redis_keyspace_hits_total"), 1)
        self.assertGreaterEqual(self.value("redis_keyspace_misses_total"), 1)
        self.assertGreaterEqual(self.value("redis_commands_total", '{cmd="get"}'), 2)
        self.assertGreaterEqual(self.value("redis_errors_total", '{err="READONLY"}'), 1)
        self.assertGreaterEqual(self.value("redis_connected_clients"), 1)
        self.assertGreater(self.value("redis_memory_used_bytes"), 0)

    def test_keys_can_be_looked_at(self):
        self.assertEqual(self.value("redis_key_size", '{db="db0",key="bighash"}'), 500)


if __name__ == "__main__":
    unittest.main()
