"""`GET /metrics`, for Prometheus: this process and its requests, and what the database knows of trunks and calls."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure. A name ending in `_total` is a counter; `labels` of one name have the same keys."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


Samples = Callable[[], Awaitable[list[Sample]]]


def metrics_route(samples: Samples) -> HTTPRouteHandler:
    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        registry = CollectorRegistry()
        registry.register(_Collected(await samples()))
        return Response(generate_latest(REGISTRY) + generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return metrics


class _Collected(Collector):
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for sample in self._samples:
            names = [name for name, _ in sample.labels]
            family = families.get(sample.name)
            if family is None:
                kind = CounterMetricFamily if sample.name.endswith("_total") else GaugeMetricFamily
                family = families[sample.name] = kind(sample.name, sample.help, labels=names)
            family.add_metric([value for _, value in sample.labels], sample.value)
        return families.values()
