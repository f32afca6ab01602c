"""A collector of OpenTelemetry that keeps what it is sent."""

from concurrent import futures

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as service


class Collector(service.LogsServiceServicer):
    def __init__(self) -> None:
        self.received: list[logs.ExportLogsServiceRequest] = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        service.add_LogsServiceServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def Export(self, request, context):  # noqa: N802 (the service's name)
        self.received.append(request)
        return logs.ExportLogsServiceResponse()

    def resources(self) -> list[dict]:
        return [_plain(one.resource.attributes) for one in self._logs()]

    def records(self) -> list[dict]:
        scopes = (scope for one in self._logs() for scope in one.scope_logs)
        return [_plain(record.attributes) for scope in scopes for record in scope.log_records]

    def bodies(self) -> list[str]:
        scopes = (scope for one in self._logs() for scope in one.scope_logs)
        return [record.body.string_value for scope in scopes for record in scope.log_records]

    def _logs(self):
        return (one for request in self.received for one in request.resource_logs)


def _plain(attributes) -> dict:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
