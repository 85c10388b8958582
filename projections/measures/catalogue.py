"""Every metric once, as data: exporters, fold, documents and tests read it; nothing registers a metric elsewhere."""

from projections.measures.families.campaign import BREAKERS, CAMPAIGNS, WAVES
from projections.measures.families.log import LOG
from projections.measures.families.process import PROCESS
from projections.measures.families.quota import INQUIRIES, QUOTAS
from projections.measures.families.unit import RETRIES, UNITS
from projections.measures.families.worker import WORKERS
from projections.measures.family import Family

__all__ = ["CATALOGUE", "FOLDED", "PROCESS"]

CATALOGUE: dict[str, Family] = {
    family.name: family
    for families in (CAMPAIGNS, BREAKERS, WAVES, UNITS, RETRIES, WORKERS, QUOTAS, INQUIRIES, LOG, PROCESS)
    for family in families
}
FOLDED: tuple[Family, ...] = tuple(family for family in CATALOGUE.values() if family.scope == "F")
