# Reads lines of JSON, the base64 of a file, and answers each with what python-dotenv reads: an object of names and values.
import base64
import io
import json
import sys

from dotenv import dotenv_values

for line in sys.stdin:
    text = base64.b64decode(json.loads(line)["src"]).decode("utf-8")
    with io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8") as stream:  # as open() would
        print(json.dumps(dotenv_values(stream=stream)), flush=True)
