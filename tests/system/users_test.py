"""Passwords and users from outside: who gets in, what a reload does to them, and what is told."""

import hashlib
import os
import unittest

import redis

from harness import wire
from system import records
from system.secured_server import SecuredServerTest

PASSWORDS = {"shop": "open-sesame-1", "operator": "open-sesame-2", "default": "open-sesame-3"}


def digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


def user(name, more="", password=None):
    return (f"[[user]]\nname = '{name}'\n"
            f"password_sha256 = '{digest(password or PASSWORDS[name])}'\n{more}\n")


OPERATOR = user("operator", "commands = ['read', 'admin']")


class Users(SecuredServerTest):
    def tearDown(self):
        # Nothing of a password or a hash is told, at level debug, whatever happened.
        log = self.log()
        for password in PASSWORDS.values():
            for secret in (password, digest(password), digest(password)[:12]):
                self.assertNotIn(secret, log)

    def call(self, connection, *arguments):
        return connection.call(*[argument.encode() for argument in arguments])

    def refused(self, code, reply):
        self.assertTrue(reply.is_error, reply.raw())
        self.assertTrue(reply.text.startswith(code.encode()), reply.raw())

    def allowed(self, reply):
        self.assertFalse(reply.is_error, reply.raw())

    def logged_in(self, name, password=None):
        connection = self.connect()
        self.addCleanup(connection.close)
        self.allowed(self.call(connection, "AUTH", name, password or PASSWORDS[name]))
        return connection

    def gone(self, connection):
        with self.assertRaises((wire.WireError, OSError)):
            self.call(connection, "PING")

    def test_requirepass(self):
        self.start(server=f"requirepass = '{PASSWORDS['default']}'")
        with self.connect() as connection:
            self.refused("NOAUTH", self.call(connection, "GET", records.key(0)))
            self.refused("WRONGPASS", self.call(connection, "AUTH", "open-sesame"))
            self.refused("NOAUTH", self.call(connection, "GET", records.key(0)))
            self.allowed(self.call(connection, "AUTH", PASSWORDS["default"]))
            self.allowed(self.call(connection, "GET", records.key(0)))
        client = redis.Redis(port=self.port, password=PASSWORDS["default"])
        self.addCleanup(client.close)
        self.assertIsNotNone(client.get(records.key(0)))

    def test_named_users_may_what_they_may(self):
        self.start(users=user("shop") + OPERATOR + "[[user]]\nname = 'default'\nenabled = false\n")
        with self.connect() as nobody:
            self.refused("NOAUTH", self.call(nobody, "PING"))
            self.refused("WRONGPASS", self.call(nobody, "AUTH", "shop", PASSWORDS["operator"]))
            self.refused("WRONGPASS", self.call(nobody, "AUTH", "stranger", "x"))
        shop = self.logged_in("shop")
        self.allowed(self.call(shop, "GET", records.key(0)))
        self.refused("NOPERM", self.call(shop, "CONFIG", "GET", "port"))
        operator = self.logged_in("operator")
        self.allowed(self.call(operator, "GET", records.key(0)))
        self.allowed(self.call(operator, "CONFIG", "GET", "port"))

    def test_a_reload_closes_whoever_is_no_longer_welcome(self):
        third = user("third", password="open-sesame-1")
        self.start(users=user("shop") + OPERATOR + third)
        shop, operator = self.logged_in("shop"), self.logged_in("operator")
        third = self.logged_in("third", "open-sesame-1")
        with self.connect() as default:
            self.allowed(self.call(default, "PING"))
            # Another password, another user gone, a third disabled; the operator stays.
            self.reload(users=OPERATOR + user("shop", password="open-sesame-3") +
                        "[[user]]\nname = 'third'\nenabled = false\n")
            self.gone(shop)
            self.gone(third)
            self.allowed(self.call(operator, "PING"))
            self.allowed(self.call(default, "PING"))
            self.refused("WRONGPASS", self.call(operator, "AUTH", "shop", PASSWORDS["shop"]))
            shop = self.logged_in("shop", "open-sesame-3")
            # Fewer rights hold at once, for who is there, too.
            self.reload(users=user("operator") + user("shop", password="open-sesame-3"))
            self.refused("NOPERM", self.call(operator, "CONFIG", "GET", "port"))
            # Whoever never gave a password must give one when there is one.
            self.reload(server=f"requirepass = '{PASSWORDS['default']}'", users=OPERATOR)
            self.refused("NOAUTH", self.call(default, "PING"))
            self.gone(shop)
            self.allowed(self.call(operator, "PING"))
        self.assertIn("user shop removed", self.log())

    def test_a_refused_configuration_changes_no_user_and_shows_no_password(self):
        self.start(users=OPERATOR)
        operator = self.logged_in("operator")
        for server, users in (
                ("requirepass = 'open-sesame-3", ""),
                ("requirepass = open-sesame-3", ""),
                ("", "[[user]]\nname = 'a'\npassword_sha256 = 'open-sesame-1'\n"),
                ("", "[[user]]\nname = 'a'\npassword = 'open-sesame-1'\n"),
                ("", OPERATOR + user("operator", password="open-sesame-1"))):
            self.reload("configuration refused", server=server, users=users)
            self.assertIn("larder.toml:", self.log().splitlines()[-1])
            self.allowed(self.call(operator, "CONFIG", "GET", "port"))

    def test_writes_are_refused_as_the_listener_says(self):
        self.start(listener="read_only_error = 'NOPERM'")
        with self.connect() as connection:
            self.refused("NOPERM", self.call(connection, "SET", "a", "b"))
            self.reload(listener="")
            self.refused("NOPERM", self.call(connection, "SET", "a", "b"))
        with self.connect() as connection:
            self.refused("READONLY", self.call(connection, "SET", "a", "b"))

    def test_the_command_line_logs_in(self):
        self.start(users=user("shop") + OPERATOR + "[[user]]\nname = 'default'\nenabled = false\n")
        server = ("--server", self.address)
        told = self.larder("get", "main", records.key(0), *server)
        self.assertEqual(told.returncode, 1, told.stdout)
        self.assertIn("LARDER_PASSWORD", told.stderr)
        told = self.larder("get", "main", records.key(0), "--config", self.config)
        self.assertIn("LARDER_PASSWORD", told.stderr)
        told = self.larder("versions", "main", *server, "--user", "operator",
                           env={"LARDER_PASSWORD": PASSWORDS["operator"]})
        self.assertEqual(told.returncode, 0, told.stderr)
        path = self.file("password")
        with open(path, "w", encoding="utf-8") as out:
            out.write(PASSWORDS["operator"] + "\n")
        os.chmod(path, 0o600)
        told = self.larder("get", "main", records.key(0), *server, "--user", "operator",
                           "--password-file", path)
        self.assertEqual(told.returncode, 0, told.stderr)
        told = self.larder("versions", "main", *server, "--user", "operator",
                           env={"LARDER_PASSWORD": "open-sesame"})
        self.assertEqual(told.returncode, 1)
        self.assertIn("WRONGPASS", told.stderr)
        told = self.larder("versions", "main", *server, "--user", "operator")
        self.assertEqual(told.returncode, 2)


if __name__ == "__main__":
    unittest.main()
