# Reads lines of JSON, the base64 of a file, and answers each with what systemd makes of it as an EnvironmentFile=: a list of names
# and values, in base64. It calls the very functions that systemd does, in the library that its programs share: load_env_file, and
# env_assignment_is_valid, by which exec_context_load_environment leaves out what may not be in an environment. systemd itself
# reads such a file only as PID 1 or as a user's manager.
import base64
import ctypes
import glob
import json
import os
import sys

found = sorted(glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so") + glob.glob("/usr/lib/systemd/libsystemd-shared-*.so"))
if not found:
    sys.exit("libsystemd-shared is needed for this test (scripts/test-deps.sh installs it)")
systemd = ctypes.CDLL(found[-1])
systemd.env_assignment_is_valid.restype = ctypes.c_bool
libc = ctypes.CDLL(None)
libc.free.argtypes = [ctypes.c_void_p]


def read(data):
    file = os.memfd_create("env")  # no content in any file
    try:
        with os.fdopen(os.dup(file), "wb") as out:
            out.write(data)
        lines = ctypes.POINTER(ctypes.c_void_p)()
        result = systemd.load_env_file(None, b"/proc/self/fd/%d" % file, ctypes.byref(lines))
        if result < 0:
            raise OSError(-result, os.strerror(-result))
    finally:
        os.close(file)
    pairs, i = [], 0
    while lines and lines[i]:
        line = ctypes.string_at(lines[i])
        if systemd.env_assignment_is_valid(line):
            pairs.append([base64.b64encode(part).decode() for part in line.split(b"=", 1)])
        libc.free(lines[i])
        i += 1
    libc.free(lines)
    return pairs


for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(json.loads(line)["src"]))), flush=True)
