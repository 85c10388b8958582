"""The three requests of a worker, over the client that terminal and command line use too."""

import msgspec

from service.client.api_types import ApiCampaign
from service.client.claim_types import ClaimAnswer, ClaimRequest, ReportVerdict, ReportVerdicts
from service.client.errors import AwayError
from service.client.http_client import ApiClient, decoded, path_of
from service.worker.report_batch import ReportBatch


class WorkerClient:
    """Claims, reports, and the state of a campaign."""

    def __init__(self, http: ApiClient) -> None:
        self._http = http

    async def claim(self, request: ClaimRequest, key: str) -> ClaimAnswer:
        """Ask for units. A request repeated under the same *key* gets the answer of the first one, should that be lost."""
        body = msgspec.json.encode(request)
        answer = await self._http.order("POST", path_of("claims"), body, idempotency_key=key, wait_s=request.wait_s)
        return decoded(answer.content, ClaimAnswer)

    async def report(self, batch: ReportBatch) -> tuple[ReportVerdict, ...]:
        """Deliver *batch* and return one verdict per report, in its order.

        Raises:
            AwayError: no usable answer; the batch is to be sent again.

        """
        answer = await self._http.order("POST", path_of("reports"), batch.content, idempotency_key=batch.key)
        verdicts = decoded(answer.content, ReportVerdicts)
        if len(verdicts.results) != len(batch.reports):
            raise AwayError(f"{len(verdicts.results)} verdicts on {len(batch.reports)} reports")
        return verdicts.results

    async def campaign(self, name: str, at_least: int) -> ApiCampaign:
        """Read a campaign from views that have reached log position *at_least*."""
        return await self._http.read(path_of("campaigns", name), ApiCampaign, {"at_least": at_least})
