#!/usr/bin/python3
"""What the README uses of grpcurl, for systems where it is no package.

    grpcurl.py -plaintext HOST:PORT list [SERVICE]
    grpcurl.py -plaintext HOST:PORT describe SYMBOL
    grpcurl.py -plaintext [-d JSON] [-H 'NAME: VALUE'] HOST:PORT SERVICE/METHOD

Like grpcurl it knows no .proto file: all of it comes from server reflection, v1 or else v1alpha. Several JSON values
in -d are a stream of requests. An error is printed with its details on stderr; the exit code is 64 + its status code.
"""

import argparse
import json
import sys

import grpc
from google.protobuf import (any_pb2, descriptor_pb2, descriptor_pool, json_format,
                             message_factory, text_format)

# The wire format of reflection, the same in v1 and v1alpha, and google.rpc.Status. Only the fields used here.
SUBSET = '''
name: "subset.proto" package: "subset" syntax: "proto3" dependency: "google/protobuf/any.proto"
message_type { name: "Request"
  field { name: "file_by_filename" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "file_containing_symbol" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "list_services" number: 7 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "Files"
  field { name: "file" number: 1 type: TYPE_BYTES label: LABEL_REPEATED } }
message_type { name: "Service"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "Services"
  field { name: "service" number: 1 type: TYPE_MESSAGE type_name: ".subset.Service" label: LABEL_REPEATED } }
message_type { name: "Error"
  field { name: "code" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "message" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
message_type { name: "Response"
  field { name: "files" number: 4 type: TYPE_MESSAGE type_name: ".subset.Files" label: LABEL_OPTIONAL }
  field { name: "services" number: 6 type: TYPE_MESSAGE type_name: ".subset.Services" label: LABEL_OPTIONAL }
  field { name: "error" number: 7 type: TYPE_MESSAGE type_name: ".subset.Error" label: LABEL_OPTIONAL } }
message_type { name: "Status"
  field { name: "details" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Any" label: LABEL_REPEATED } }
'''


def subset_messages():
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    file = text_format.Parse(SUBSET, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(file.SerializeToString())
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(f'subset.{name}'))


message = subset_messages()
Request, Response, Status = message('Request'), message('Response'), message('Status')


class Reflection:
    """The types that a server describes, fetched when they are asked for."""

    def __init__(self, channel):
        self.channel = channel
        self.version = 'v1'
        self.pool = descriptor_pool.DescriptorPool()
        self.factory = message_factory.MessageFactory(self.pool)
        self.known_files = set()

    def ask(self, **question):
        call = self.channel.stream_stream(
            f'/grpc.reflection.{self.version}.ServerReflection/ServerReflectionInfo',
            request_serializer=Request.SerializeToString, response_deserializer=Response.FromString)
        try:
            answer = next(call(iter([Request(**question)]), timeout=10))
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED or self.version == 'v1alpha':
                raise
            self.version = 'v1alpha'
            return self.ask(**question)
        if answer.HasField('error'):
            raise LookupError(answer.error.message)
        return answer

    def services(self):
        return sorted(service.name for service in self.ask(list_services='*').services.service)

    def add(self, answer):
        """Puts files into the pool, and before each those that it imports."""
        given = {}
        for serialized in answer.files.file:
            file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
            given[file.name] = file

        def put(name):
            if name in self.known_files:
                return
            if name not in given:
                self.add(self.ask(file_by_filename=name))
                return
            self.known_files.add(name)
            for dependency in given[name].dependency:
                put(dependency)
            self.pool.AddSerializedFile(given[name].SerializeToString())

        for name in given:
            put(name)

    def find(self, symbol):
        """The descriptor of a service, method, message or enum; LookupError if the server has none."""
        self.add(self.ask(file_containing_symbol=symbol))
        for find in (self.pool.FindServiceByName, self.pool.FindMethodByName,
                     self.pool.FindMessageTypeByName, self.pool.FindEnumTypeByName):
            try:
                return find(symbol)
            except KeyError:
                continue
        raise LookupError(f'{symbol} is neither a service, a method, a message nor an enum')

    def message_class(self, descriptor):
        return self.factory.GetPrototype(descriptor)

    def to_json(self, value, **options):
        return json_format.MessageToJson(value, indent=2, ensure_ascii=False,
                                         descriptor_pool=self.pool, **options)


def describe(descriptor):
    """The definition of a descriptor, as the .proto file has it, without comments."""
    proto = type(descriptor).__name__
    if proto == 'MethodDescriptor':
        request = f'{"stream " if descriptor.client_streaming else ""}.{descriptor.input_type.full_name}'
        response = f'{"stream " if descriptor.server_streaming else ""}.{descriptor.output_type.full_name}'
        return f'rpc {descriptor.name} ( {request} ) returns ( {response} );'
    if proto == 'ServiceDescriptor':
        head, lines = 'service', [describe(method) for method in descriptor.methods]
    elif proto == 'EnumDescriptor':
        head, lines = 'enum', [f'{value.name} = {value.number};' for value in descriptor.values]
    else:
        head, lines = 'message', [describe_field(field) for field in descriptor.fields]
    return '\n'.join([f'{head} {descriptor.name} {{', *(f'  {line}' for line in lines), '}'])


def describe_field(field):
    if field.message_type or field.enum_type:
        kind = f'.{(field.message_type or field.enum_type).full_name}'
    else:
        number = descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)
        kind = number[len('TYPE_'):].lower()
    repeated = field.label == field.LABEL_REPEATED
    optional = not repeated and field.has_presence and not field.message_type
    return f'{"repeated " if repeated else ""}{"optional " if optional else ""}{kind} {field.name} = {field.number};'


def requests_in(text, message_class, pool):
    decoder = json.JSONDecoder()
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        yield json_format.ParseDict(value, message_class(), descriptor_pool=pool)


def print_error(reflection, error):
    code, name = error.code().value
    print(f'ERROR:\n  Code: {name.title().replace(" ", "")}\n  Message: {error.details()}', file=sys.stderr)
    trailers = dict(error.trailing_metadata() or ())
    details = Status.FromString(trailers.get('grpc-status-details-bin', b'')).details
    if details:
        print('  Details:', file=sys.stderr)
    for number, detail in enumerate(details, 1):
        reflection.find(detail.TypeName())
        print(f'  {number})\t{reflection.to_json(detail)}'.replace('\n', '\n    \t'), file=sys.stderr)
    return 64 + code


def call(reflection, target, data, metadata):
    service, _, name = target.replace('/', '.').rpartition('.')
    reflection.find(service)
    method = reflection.find(f'{service}.{name}')
    requests = list(requests_in(data, reflection.message_class(method.input_type), reflection.pool))
    if not requests and not method.client_streaming:
        requests = [reflection.message_class(method.input_type)()]
    # On the wire the four kinds of RPC are one: a stream of requests, a stream of responses.
    rpc = reflection.channel.stream_stream(
        f'/{service}/{name}', request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=reflection.message_class(method.output_type).FromString)
    try:
        for response in rpc(iter(requests), metadata=metadata):
            print(reflection.to_json(response), flush=True)
    except grpc.RpcError as error:
        return print_error(reflection, error)
    return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('-plaintext', action='store_true', required=True)
    parser.add_argument('-d', default='', metavar='JSON', help='@ reads it from standard input')
    parser.add_argument('-H', action='append', default=[], metavar='NAME: VALUE')
    parser.add_argument('address')
    parser.add_argument('target', help='list, describe, or SERVICE/METHOD')
    parser.add_argument('symbol', nargs='?')
    arguments = parser.parse_args()
    with grpc.insecure_channel(arguments.address) as channel:
        reflection = Reflection(channel)
        try:
            if arguments.target == 'list' and not arguments.symbol:
                print('\n'.join(reflection.services()))
            elif arguments.target == 'list':
                methods = reflection.find(arguments.symbol).methods
                print('\n'.join(sorted(method.full_name for method in methods)))
            elif arguments.target == 'describe':
                for symbol in [arguments.symbol] if arguments.symbol else reflection.services():
                    descriptor = reflection.find(symbol)
                    kind = type(descriptor).__name__.replace('Descriptor', '').lower()
                    print(f'{symbol} is a {kind}:\n{describe(descriptor)}')
            else:
                data = sys.stdin.read() if arguments.d == '@' else arguments.d
                metadata = [tuple(part.strip() for part in header.split(':', 1)) for header in arguments.H]
                return call(reflection, arguments.target, data, metadata)
        except grpc.RpcError as error:
            return print_error(reflection, error)
        except (LookupError, ValueError, json_format.ParseError) as error:
            print(f'Error: {error}', file=sys.stderr)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
