"""Random HyperLogLogs, as Redis stores them: dense and sparse ones, some with a count in the header,
some damaged."""

REGISTERS = 16384
DENSE_BYTES = REGISTERS * 6 // 8
STALE = b"\0" * 7 + b"\x80"  # no count in the header
LONGEST_RUN, LONGEST_SHORT_RUN, LONGEST_VALUE_RUN = 16384, 64, 4
HIGHEST_SPARSE = 32


def zeros(length):
    if length > LONGEST_SHORT_RUN:
        return bytes([0x40 | (length - 1) >> 8, (length - 1) & 0xff])
    return bytes([length - 1])


def sparse(chooser, registers):
    """Runs of zeros and of values, until each of the registers has one."""
    runs = b""
    longest = chooser.choice([8, 64, 1000, LONGEST_RUN])
    while registers > 0:
        if chooser.random() < 0.5:
            length = min(registers, chooser.randrange(1, longest + 1))
            runs += zeros(length)
        else:
            length = min(registers, chooser.randrange(1, LONGEST_VALUE_RUN + 1))
            value = chooser.randrange(1, HIGHEST_SPARSE + 1)
            runs += bytes([0x80 | value - 1 << 2 | length - 1])
        registers -= length
    return runs


def dense(chooser):
    """Registers as many additions would leave them, or any."""
    if chooser.random() < 0.3:
        return chooser.randbytes(DENSE_BYTES)
    mean = chooser.randrange(1, 40)
    bits = 0
    for register in range(REGISTERS):
        height = 0
        while height < 10 and chooser.random() < 0.5:
            height += 1
        bits |= min(51, max(0, mean + height - 1)) << 6 * register
    return bits.to_bytes(DENSE_BYTES, "little")


def make(chooser):
    """A text for random_data: bytes that are no UTF-8 are Python's surrogates."""
    is_dense = chooser.random() < 0.5
    registers = REGISTERS
    if chooser.random() < 0.1:
        registers += chooser.choice([-REGISTERS, -1, 1, 500])  # damaged, when sparse
    body = dense(chooser) if is_dense else sparse(chooser, registers)
    if chooser.random() < 0.1:
        body = body[:chooser.randrange(len(body) + 1)]
    count = STALE
    if chooser.random() < 0.2:
        count = chooser.randrange(2**40).to_bytes(8, "little")
    magic = b"HYLL" if chooser.random() < 0.95 else b"HYLX"
    encoding = bytes([0 if is_dense else 1]) if chooser.random() < 0.95 else b"\2"
    return (magic + encoding + b"\0\0\0" + count + body).decode("utf-8", "surrogateescape")
