from api.v1beta1 import api_pb2 as _api_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SummaryRequest(_message.Message):
    __slots__ = ("trial_name", "metric_names")
    TRIAL_NAME_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAMES_FIELD_NUMBER: _ClassVar[int]
    trial_name: str
    metric_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, trial_name: _Optional[str] = ..., metric_names: _Optional[_Iterable[str]] = ...) -> None: ...

class SummaryReply(_message.Message):
    __slots__ = ("metrics",)
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricSummary]
    def __init__(self, metrics: _Optional[_Iterable[_Union[MetricSummary, _Mapping]]] = ...) -> None: ...

class MetricSummary(_message.Message):
    __slots__ = ("name", "count", "first", "last", "min", "max", "first_time", "last_time", "first_step", "last_step", "min_step", "max_step")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    LAST_STEP_FIELD_NUMBER: _ClassVar[int]
    MIN_STEP_FIELD_NUMBER: _ClassVar[int]
    MAX_STEP_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    first: str
    last: str
    min: str
    max: str
    first_time: str
    last_time: str
    first_step: int
    last_step: int
    min_step: int
    max_step: int
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., first: _Optional[str] = ..., last: _Optional[str] = ..., min: _Optional[str] = ..., max: _Optional[str] = ..., first_time: _Optional[str] = ..., last_time: _Optional[str] = ..., first_step: _Optional[int] = ..., last_step: _Optional[int] = ..., min_step: _Optional[int] = ..., max_step: _Optional[int] = ...) -> None: ...

class ReadRequest(_message.Message):
    __slots__ = ("trial_name", "metric_name", "start_time", "end_time", "page_size", "page_token")
    TRIAL_NAME_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trial_name: str
    metric_name: str
    start_time: str
    end_time: str
    page_size: int
    page_token: str
    def __init__(self, trial_name: _Optional[str] = ..., metric_name: _Optional[str] = ..., start_time: _Optional[str] = ..., end_time: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ReadReply(_message.Message):
    __slots__ = ("observation_log", "next_page_token")
    OBSERVATION_LOG_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    observation_log: _api_pb2.ObservationLog
    next_page_token: str
    def __init__(self, observation_log: _Optional[_Union[_api_pb2.ObservationLog, _Mapping]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("trial_name", "metric_names", "after_token")
    TRIAL_NAME_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAMES_FIELD_NUMBER: _ClassVar[int]
    AFTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    trial_name: str
    metric_names: _containers.RepeatedScalarFieldContainer[str]
    after_token: str
    def __init__(self, trial_name: _Optional[str] = ..., metric_names: _Optional[_Iterable[str]] = ..., after_token: _Optional[str] = ...) -> None: ...

class WatchReply(_message.Message):
    __slots__ = ("metric_logs", "resume_token")
    METRIC_LOGS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    metric_logs: _containers.RepeatedCompositeFieldContainer[_api_pb2.MetricLog]
    resume_token: str
    def __init__(self, metric_logs: _Optional[_Iterable[_Union[_api_pb2.MetricLog, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...
