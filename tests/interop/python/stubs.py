"""The Python stubs of the contract, generated into a folder of their own when a program starts.

    import stubs
    stubs.generate()
    from users.v1 import user_service_pb2, user_service_pb2_grpc

A program of your own would generate them once, at build time, with the same command.
"""

import atexit
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Where this project and Debian's packages have the .proto files.
IMPORTS = [
    pathlib.Path(__file__).resolve().parents[3] / 'proto',
    '/usr/share/gocode/src/github.com/gogo/googleapis',
    '/usr/share/grpc-proto/grpc',
]
PROTOS = [
    'users/v1/user.proto', 'users/v1/errors.proto', 'users/v1/user_service.proto',
    # What errors are made of.
    'google/rpc/code.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto',
    # Beside the service. Named from below grpc/, since the package `grpc` is grpcio's own.
    'health/v1/health.proto', 'reflection/v1/reflection.proto', 'reflection/v1alpha/reflection.proto',
]


def generate(protoc='protoc', plugin=shutil.which('grpc_python_plugin'), imports=tuple(IMPORTS)):
    """Runs protoc, and puts the folder of its output in front of sys.path until the program ends."""
    folder = tempfile.TemporaryDirectory(prefix='userservice-stubs-')
    atexit.register(folder.cleanup)
    subprocess.run([protoc, *(f'-I{path}' for path in imports), f'--python_out={folder.name}',
                    f'--grpc_out={folder.name}', f'--plugin=protoc-gen-grpc={plugin}', *PROTOS],
                   check=True)
    # `google` is shared by several distributions; these google.rpc modules shall be the ones found.
    pathlib.Path(folder.name, 'google/rpc/__init__.py').touch()
    sys.path.insert(0, folder.name)
    return folder.name
