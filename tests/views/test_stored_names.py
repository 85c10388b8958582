"""Stored documents keep the names of their fields, whatever the attributes are called in Python."""

import msgspec
import pytest

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import TimeAccount
from projections.views.time_accounts.snapshot import AccountSnapshot
from projections.views.wave.card import WaveCard

RENAMED = [
    (CampaignCard, {"throughput": "pace", "time_account": "ledger", "timeline": "course"}),
    (TimeAccount, {"since_snapshot": "facts"}),
    (AccountSnapshot, {"account": "ledger", "closed_quotas": "closed"}),
    (WaveCard, {"last_ended_at": "rested_at"}),
]


@pytest.mark.parametrize(("document", "renamed"), RENAMED)
def test_fields_of_stored_documents_keep_their_names(document: type[msgspec.Struct], renamed: dict[str, str]) -> None:
    """A database of an earlier version can be read: A5."""
    stored = {field.name: field.encode_name for field in msgspec.structs.fields(document)}
    assert {name: encoded for name, encoded in stored.items() if name != encoded} == renamed
