#!/usr/bin/python3
"""Runs the clients in other people's languages, each against a userd of its own on an empty database.

    interop.py --bin=DIR --build=DIR [--only=NAME]

DIR of --bin has userd; that of --build takes what is generated, compiled and downloaded. Prints a line for each
client, and exits with 1 if any failed; what a failed one and its userd said follows its line.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / 'python'))
import stubs  # pylint: disable=wrong-import-position

ADDRESS = 'HOST:PORT'  # in a client's command: where its server's address comes
CONTRACT = ['users/v1/user.proto', 'users/v1/errors.proto', 'users/v1/user_service.proto']
LIMIT_SECONDS = 300  # for one step of one client: the first Go build compiles gRPC, too


def run(command, log, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                   timeout=LIMIT_SECONDS, **options)


def generate(log, folder, *outputs, protos=CONTRACT):
    """protoc into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(['protoc', *(f'-I{path}' for path in stubs.IMPORTS), *outputs, *protos], log)


def python(*_):
    return [sys.executable, HERE / 'python/user_story_test.py']  # a test of ctest's: it starts a userd itself


def python_asyncio(*_):
    return [sys.executable, HERE / 'python/asyncio_story.py', ADDRESS]


def node_modules(build, log):
    """The sources beside their packages, which are installed once for each package-lock.json."""
    folder = build / 'node'
    done = folder / 'node_modules/installed-lock.json'
    lock = (HERE / 'node/package-lock.json').read_bytes()
    shutil.copytree(HERE / 'node', folder, dirs_exist_ok=True)
    if not done.exists() or done.read_bytes() != lock:
        run(['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'], log, cwd=folder)
        done.write_bytes(lock)
    return folder


def node_protos(build, log):
    return ['node', node_modules(build, log) / 'from_protos.js', ADDRESS]


def node_reflection(build, log):
    return ['node', node_modules(build, log) / 'from_reflection.js', ADDRESS]


def ruby(build, log):
    generate(log, build / 'ruby', f'--ruby_out={build}/ruby', f'--grpc_out={build}/ruby',
             f'--plugin=protoc-gen-grpc={shutil.which("grpc_ruby_plugin")}')
    return ['ruby', f'-I{build}/ruby', HERE / 'ruby/user_story.rb', ADDRESS]


def buf(build, log):
    program = node_modules(build, log) / 'node_modules/.bin/buf'
    return ['env', f'BUF={program}', HERE / 'buf/user_story.sh', ADDRESS]


def go(build, log):
    """Debian's Go libraries are a GOPATH. What the files' own go_package would say stands in the flags."""
    packages = {proto: 'users/v1;usersv1' for proto in CONTRACT}
    packages['google/rpc/status.proto'] = 'google.golang.org/genproto/googleapis/rpc/status'
    flags = [f'--{plugin}_opt=M{proto}={package}'
             for plugin in ('go', 'go-grpc') for proto, package in packages.items()]
    source = build / 'go/src'
    generate(log, source, f'--go_out={source}', f'--go-grpc_out={source}', *flags)
    program = build / 'go/user_story'
    environment = {'GO111MODULE': 'off', 'GOPATH': f'{build}/go:/usr/share/gocode',
                   'GOCACHE': f'{build}/go/cache'}
    run(['go', 'build', '-o', program, HERE / 'go/main.go'], log, env={**os.environ, **environment})
    return [program, ADDRESS]


# Of /usr/share/java: gRPC with its transport, what they need at run time, and the annotation on generated code.
JARS = [
    'grpc-api', 'grpc-context', 'grpc-core', 'grpc-netty', 'grpc-protobuf', 'grpc-protobuf-lite', 'grpc-stub',
    'netty-buffer', 'netty-codec', 'netty-codec-http', 'netty-codec-http2', 'netty-common', 'netty-handler',
    'netty-resolver', 'netty-transport', 'protobuf', 'guava', 'perfmark-api', 'geronimo-annotation-1.3-spec',
]


def java(build, log):
    jars = ':'.join(f'/usr/share/java/{jar}.jar' for jar in JARS)
    source, classes = build / 'java/source', build / 'java/classes'
    generate(log, source, f'--java_out={source}', f'--grpc-java_out={source}',
             f'--plugin=protoc-gen-grpc-java={shutil.which("grpc_java_plugin")}',
             protos=[*CONTRACT, 'google/rpc/code.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'])
    run(['javac', '-nowarn', '-proc:none', '-cp', jars, '-d', classes, *source.rglob('*.java'),
         HERE / 'java/UserStory.java'], log)
    return ['java', '-cp', f'{classes}:{jars}', 'UserStory', ADDRESS]


# By name: what prepares a client and returns its command.
CLIENTS = {
    'node-protos': node_protos,
    'node-reflection': node_reflection,
    'python': python,
    'python-asyncio': python_asyncio,
    'ruby': ruby,
    'buf-curl': buf,
    'go': go,
    'java': java,
}


class Server:
    """A userd on a free port, for a `with` block; stopped as a supervisor stops it, by SIGTERM."""

    def __init__(self, userd, folder, log):
        self.process = subprocess.Popen(
            [userd, '--listen_address=127.0.0.1:0', f'--database={folder}/users.db'],
            stdout=subprocess.PIPE, stderr=log, text=True)

    def __enter__(self):
        for line in self.process.stdout:
            if line.startswith('listening on '):
                return line.split()[-1]
        raise RuntimeError(f'userd exited with {self.process.wait()} before it served')

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        exit_code = self.process.wait(timeout=60)
        if exit_code != 0 and kind is None:
            raise RuntimeError(f'userd exited with {exit_code} after SIGTERM')


def environment(userd):
    """What a client may want to know of this machine."""
    return {'USERD': str(userd), 'PROTOC': 'protoc', 'GRPC_PYTHON_PLUGIN': shutil.which('grpc_python_plugin'),
            'PROTO_PATH': os.pathsep.join(map(str, stubs.IMPORTS)), 'PYTHONDONTWRITEBYTECODE': '1'}


def run_client(prepare, userd, build):
    """Whether it passed, and what was said."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile('w+') as log:
        try:
            command = prepare(build, log)
            with Server(userd, folder, log) as address:
                run([address if word == ADDRESS else word for word in command], log, cwd=folder,
                    env={**os.environ, **environment(userd)})
            passed = True
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(error, file=log)
            passed = False
        log.seek(0)
        return passed, log.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', type=pathlib.Path, required=True)
    parser.add_argument('--build', type=pathlib.Path, required=True)
    parser.add_argument('--only', choices=CLIENTS)
    options = parser.parse_args()
    build = options.build.resolve()
    build.mkdir(parents=True, exist_ok=True)

    failed = 0
    for name in [options.only] if options.only else CLIENTS:
        begin = time.monotonic()
        passed, said = run_client(CLIENTS[name], (options.bin / 'userd').resolve(), build)
        print(f'{name:16} {"passed" if passed else "FAILED"} {time.monotonic() - begin:6.1f} s', flush=True)
        if not passed:
            failed += 1
            print(said, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
