"""The keys that change something. Destructive ones ask first; each shows a sentence when it is done."""

from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from service.client.api_types import ApiRecovery
from service.terminal.formatting import one_line, plural
from service.terminal.top import actions, snapshot
from service.terminal.top.dialog import ConfirmDialog
from service.terminal.top.viewer import Viewer


class Top(Viewer):
    """`muster top`: the panes, and the keys that change something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("r", "retry", "Retry"),
        ("p", "pause", "Pause"),
        ("b", "breaker", "Reset the breaker"),
        ("R", "recovery", "Recovery"),
        ("K", "fence", "Fence stale"),
        ("D", "diagnostics", "Diagnostics"),
    ]
    folder = Path()

    async def confirmed(self, question: str) -> bool:
        """Ask *question* and return whether the answer is yes."""
        return await self.push_screen_wait(ConfirmDialog(question)) == "y"

    def action_retry(self) -> None:
        """Retry the chosen unit, or the quarantined units of the chosen campaign."""
        self.carry_out(self._retry())

    async def _retry(self) -> str | None:
        campaign, unit = self.campaign, self.unit
        if campaign is None:
            return "no campaign is chosen"
        if unit is not None:
            return await actions.retry_unit(self.service, campaign.name, unit.key)
        count = await actions.count_failed(self.service, campaign.name)
        if not count:
            return f"nothing of {one_line(campaign.name)} is quarantined"
        if await self.confirmed(f"Retry {plural(count, 'quarantined unit')} of {one_line(campaign.name)}?"):
            return await actions.retry_failed(self.service, campaign.name)
        return None

    def action_pause(self) -> None:
        """Pause or resume the campaign, or the engine in its pane."""
        self.carry_out(self._switch_engine() if self.pane == "engine" else self._switch_campaign())

    async def _switch_campaign(self) -> str | None:
        campaign = self.campaign
        return "no campaign is chosen" if campaign is None else await actions.switch_campaign(self.service, campaign)

    async def _switch_engine(self) -> str | None:
        if self.snapshot is None:
            return None
        engine = self.snapshot.engine
        if engine.paused is None and not await self.confirmed("Pause the engine? Nothing will be claimed in any campaign."):
            return None
        return await actions.switch_engine(self.service, engine)

    def action_breaker(self) -> None:
        """Reset the breaker."""
        self.carry_out(self._reset())

    async def _reset(self) -> str | None:
        campaign = self.campaign
        return "no campaign is chosen" if campaign is None else await actions.reset_breaker(self.service, campaign.name)

    def action_recovery(self) -> None:
        """Ask for a decision on each open recovery plan."""
        self.carry_out(self._recover())

    async def _recover(self) -> str | None:
        plans = await snapshot.plans(self.service)
        if not plans:
            return "no recovery plans"
        for plan in plans:
            if (sentence := await self._decide(plan)) is not None:
                self.show_sentence(sentence)
        return None

    async def _decide(self, plan: ApiRecovery) -> str | None:
        question = (
            f"The workers of {one_line(plan.campaign)} died while the service was away: "
            f"{plural(len(plan.resumable), 'unit')} can be resumed, {plan.preserved:,} done ones are kept."
        )
        key = await self.push_screen_wait(ConfirmDialog(question, (("a", "apply"), ("d", "decline, which cancels the campaign"))))
        return None if key is None else await actions.decide_recovery(self.service, plan, "apply" if key == "a" else "decline")

    def action_fence(self) -> None:
        """Fence the workers without recent heartbeats."""
        self.carry_out(self._fence())

    async def _fence(self) -> str | None:
        stale = actions.silent_workers(await snapshot.workers(self.service, actions.FENCEABLE_LEVELS))
        if not stale:
            return "no worker is stale"
        names = ", ".join(one_line(worker.worker) for worker in stale[:3]) + (", …" if len(stale) > 3 else "")  # noqa: PLR2004
        if await self.confirmed(f"Fence {plural(len(stale), 'stale worker')} ({names}) and take the units away?"):
            return await actions.fence_workers(self.service, stale)
        return None

    def action_diagnostics(self) -> None:
        """Save the diagnostics of the chosen campaign."""
        self.carry_out(self._diagnose())

    async def _diagnose(self) -> str | None:
        campaign = self.campaign
        return (
            "no campaign is chosen"
            if campaign is None
            else await actions.save_diagnostics(self.service, campaign.name, self.folder)
        )
