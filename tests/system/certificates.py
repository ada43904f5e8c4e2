"""Certificates for one test, made by the openssl command in a directory of its own."""

import os
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Certificates:
    """An authority (`authority`), and what it signs."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.authority = self.path("authority.pem")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", self.path("authority.key"), "-out", self.authority, "-days", "30",
                 "-subj", "/CN=authority")

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, names="IP:127.0.0.1,DNS:localhost"):
        """NAME.pem and NAME.key; replaces what is there. Returns both paths."""
        certificate, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        request, extensions = self.path("request.csr"), self.path("extensions")
        with open(extensions, "w", encoding="utf-8") as out:
            out.write(f"subjectAltName={names}\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey",
                 self.path("authority.key"), "-CAcreateserial", "-out", certificate, "-days", "30",
                 "-extfile", extensions)
        return certificate, key
