"""Uses two services of AWS with the credentials of the environment, as programs do, against the server of argv."""
import sys

import botocore.session
from botocore.config import Config

url = sys.argv[1]
session = botocore.session.get_session()
config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})


def client(name):
    return session.create_client(name, region_name="eu-west-1", endpoint_url=url, config=config)


s3 = client("s3")
s3.put_object(Bucket="things", Key="a key/with+signs ü", Body=b"contents")
print(s3.get_object(Bucket="things", Key="a key/with+signs ü")["Body"].read().decode())
print(client("sts").get_caller_identity()["Account"])
