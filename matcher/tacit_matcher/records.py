"""What a member's list holds: audited sites, planned audits, and the columns that a list may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

_NO_IDENTIFIERS: Mapping[str, str] = MappingProxyType({})

IDENTIFIER_KINDS = (
    "os_id",
    "sedex_site",
    "sedex_company",
    "amfori_id",
    "ecovadis_id",
    "gln",
    "lei",
    "duns",
    "vat",
)


@dataclass(frozen=True, slots=True)
class Site:
    """A supplier's site as a member wrote it; ``identifiers`` by kind, see :data:`IDENTIFIER_KINDS`."""

    name: str
    address: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    identifiers: Mapping[str, str] = field(default_factory=lambda: _NO_IDENTIFIERS)


@dataclass(frozen=True, slots=True)
class AuditedSite:
    """A site that was assessed, and what others may know of the assessment."""

    site: Site
    audit_date: date
    scheme: str
    scheme_version: str = ""
    platform: str = ""
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedAudit:
    """A site that a member plans to audit."""

    plan_id: str
    site: Site


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "plan_id": (
        "Plan ID", "Plan", "Plan number", "Reference", "Ref", "ID", "Planungsnummer", "Référence", "Referencia",
    ),
    "name": (
        "Supplier name", "Site name", "Supplier", "Name", "Company", "Company name", "Facility name", "Factory name",
        "Lieferant", "Lieferantenname", "Firma", "Standort", "Fournisseur", "Nom du fournisseur", "Nom du site",
        "Proveedor", "Nombre del proveedor", "Nombre", "Fornitore", "Nome fornitore", "Fornecedor",
        "Nome do fornecedor", "Leverancier", "Naam leverancier", "Dostawca", "Nazwa dostawcy",
    ),
    "address": (
        "Address", "Street", "Street address", "Site address", "Address line 1", "Adresse", "Straße", "Strasse",
        "Anschrift", "Rue", "Dirección", "Direccion", "Calle", "Indirizzo", "Via", "Endereço", "Endereco", "Adres",
        "Straat", "Ulica",
    ),
    "city": (
        "City", "Town", "Place", "Ort", "Stadt", "Ville", "Commune", "Ciudad", "Localidad", "Municipio", "Città",
        "Citta", "Comune", "Cidade", "Plaats", "Stad", "Miasto", "Miejscowość",
    ),
    "postcode": (
        "Postcode", "Postal code", "Post code", "Zip", "Zip code", "PLZ", "Postleitzahl", "Code postal", "CP",
        "Código postal", "Codigo postal", "CAP", "CEP", "Kod pocztowy",
    ),
    "country": (
        "Country", "Country code", "Land", "Pays", "País", "Pais", "Paese", "Nazione", "Kraj", "Staat",
    ),
    "audit_date": (
        "Audit date", "Assessment date", "Date of audit", "Date", "Auditdatum", "Datum", "Date d'audit",
        "Date de l'audit", "Fecha de auditoría", "Fecha de auditoria", "Fecha", "Data audit", "Data dell'audit",
        "Data da auditoria", "Data audytu",
    ),
    "expiry": (
        "Expiry", "Expiry date", "Valid until", "Valid to", "Gültig bis", "Valable jusqu'au", "Válido hasta",
        "Valido fino al", "Ważny do",
    ),
    "scheme": (
        "Scheme", "Audit scheme", "Standard", "Protocol", "Audit type", "Schema", "Norme", "Norma", "Esquema",
        "Standard d'audit",
    ),
    "scheme_version": (
        "Scheme version", "Version", "Standard version", "Versión", "Versione", "Versão", "Versie", "Wersja",
    ),
    "platform": (
        "Platform", "Report platform", "Held at", "Plattform", "Plateforme", "Plataforma", "Piattaforma", "Platforma",
    ),
    "os_id": ("OS ID", "OAR ID", "Open Supply Hub ID"),
    "sedex_site": ("Sedex site code", "Sedex site", "ZS", "ZS code", "Sedex ZS"),
    "sedex_company": ("Sedex company code", "Sedex company", "ZC", "ZC code", "Sedex ZC"),
    "amfori_id": ("amfori ID", "amfori site ID", "BSCI ID", "DBID"),
    "ecovadis_id": ("EcoVadis ID", "EcoVadis", "EVID"),
    "gln": ("GLN", "Global Location Number", "ILN"),
    "lei": ("LEI", "Legal Entity Identifier"),
    "duns": ("DUNS", "D-U-N-S", "DUNS number"),
    "vat": (
        "VAT", "VAT number", "VAT ID", "USt-IdNr", "USt-ID", "TVA", "N° TVA", "NIF", "Partita IVA", "NIP",
    ),
}  # fmt: skip
"""Canonical field -> usual headers, compared without case, accents and punctuation."""
