"""Commissioning on the technician's page: add a meter on trial, compare with the dial, raw frames, finish report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from common.errors import RefusalError
from common.ids import MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Quality
from edge.device.model import Profile
from edge.driver.board import WireFace
from edge.kiosk.commissioning import Commissioning, Compared, Draft
from edge.kiosk.photos import JPEG, DialPhotos, read_photo
from edge.kiosk.rendering import NOT_FOUND, Handler, Renderer, parse_id, read_form
from edge.kiosk.views import MeterView, PointView, Sources, meter_views, points_of, status, wire_views

PERCENT = 100
MILLI = 1000
GOOD_PERCENT = 95
PHOTOS = "photos"
Qualities = Mapping[tuple[str, str], str]
_QUALITY_WORDS: Mapping[Quality, str] = {
    Quality.SUSPECT: "存疑 suspect",
    Quality.ESTIMATED: "估算 estimated",
    Quality.MANUAL: "手抄 read by hand",
    Quality.BACKWARDS: "倒走 ran backwards",
    Quality.JUMP: "跳变 jumped",
    Quality.CLOCK_BOUNDED: "时钟未校准 clock not trusted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft on a page."""

    meter_id: str
    label: str
    serial: str
    wire: str
    address: str
    profile: str
    by: str
    at: datetime
    points: tuple[PointView, ...]
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedView:
    """A comparison on a page; it agrees within one unit, because a dial shows no finer and the meter goes on."""

    meter_id: str
    quantity: str
    dial: str
    read: str
    difference: str
    agrees: bool
    by: str
    at: datetime
    photo: str  # where it is shown and sent to
    has_photo: bool


class CommissioningPages:
    """The handlers of commissioning."""

    def __init__(self, sources: Sources, render: Renderer) -> None:
        self._sources = sources
        self._desk: Commissioning = sources.commissioning
        self._render = render
        self._photos = DialPhotos(self._desk.site.home / PHOTOS)

    def routes(self, signed_in: Callable[[Handler], Handler]) -> list[Route]:
        """Return the routes; `signed_in` guards them all."""
        return [
            Route("/technician/add", signed_in(self._add)),
            Route("/technician/add/try", signed_in(self._try), methods=["POST"]),
            Route("/technician/add/keep", signed_in(self._keep), methods=["POST"]),
            Route("/technician/drafts/{meter_id}", signed_in(self._draft)),
            Route("/technician/drafts/{meter_id}/read", signed_in(self._read_draft), methods=["POST"]),
            Route("/technician/drafts/{meter_id}/drop", signed_in(self._drop), methods=["POST"]),
            Route("/technician/meters/{meter_id}/dial", signed_in(self._compare), methods=["POST"]),
            Route("/technician/meters/{meter_id}/photos/{quantity}", signed_in(self._photo)),
            Route("/technician/meters/{meter_id}/photos/{quantity}", signed_in(self._keep_photo), methods=["POST"]),
            Route("/technician/meters/{meter_id}/frames", signed_in(self._frames)),
            Route("/technician/report", signed_in(self._report)),
        ]

    def drafts(self) -> tuple[DraftView, ...]:
        """Return the drafts that wait for the office."""
        return tuple(self._view(draft) for draft in self._desk.drafts.values())

    def compared(self, meter_id: str | None = None) -> tuple[ComparedView, ...]:
        """Return the newest comparison of each register, of one meter or of all."""
        photos = self._photos.have(self._desk.compared)
        views = (_compared_view(one, has_photo=key in photos) for key, one in self._desk.compared.items())
        return tuple(view for view in views if meter_id in (None, view.meter_id))

    async def qualities(self) -> Qualities:
        """Return what is held against the newest stored value of each point, in words; nothing where it is good."""
        latest = await self._sources.store.latest()
        return {(str(one.series.meter_id), one.series.quantity): quality_words(one.quality) for one in latest}

    @property
    def last_by(self) -> str:
        """Return who gave a name last."""
        return self._desk.last_by

    async def _add(self, _: Request) -> Response:
        site = self._desk.site
        models = sorted(site.catalogue.profiles.values(), key=lambda profile: profile.model)
        return self._render.page(
            "add_meter.html",
            wires=tuple(site.wires().values()),
            models=tuple((profile.model, _products(profile)) for profile in models),
            drafts=self.drafts(),
            by=self._desk.last_by,
        )

    async def _try(self, request: Request) -> Response:
        form = await read_form(request)
        draft = await self._desk.try_meter(
            form.get("wire", ""), form.get("model", ""), form.get("address", ""), form.get("by", "")
        )
        return self._render.page("trial.html", draft=self._view(draft), frames=self._desk.frames(draft.device.meter_id))

    async def _keep(self, request: Request) -> Response:
        form = await read_form(request)
        kept = await self._desk.keep(
            MeterId(parse_id(form.get("trial", ""))),
            serial=form.get("serial", ""),
            label=form.get("label", ""),
            multiplier=form.get("multiplier", "1").strip() or "1",
        )
        return RedirectResponse(f"/technician/drafts/{kept.device.meter_id}", status_code=303)

    async def _draft(self, request: Request) -> Response:
        meter_id = self._asked_for(request)
        draft = self._desk.drafts.get(meter_id)
        if draft is None:
            raise HTTPException(NOT_FOUND)
        return self._render.page("draft.html", draft=self._view(draft), frames=self._desk.frames(meter_id))

    async def _read_draft(self, request: Request) -> Response:
        meter_id = self._asked_for(request)
        await self._desk.read_draft(meter_id)
        return RedirectResponse(f"/technician/drafts/{meter_id}", status_code=303)

    async def _drop(self, request: Request) -> Response:
        await self._desk.drop(self._asked_for(request))
        return RedirectResponse("/technician/add", status_code=303)

    async def _compare(self, request: Request) -> Response:
        meter_id, form = self._asked_for(request), await read_form(request)
        await self._desk.compare(meter_id, form.get("quantity", ""), form.get("dial", ""), form.get("by", ""))
        return RedirectResponse(f"/technician/meters/{meter_id}", status_code=303)

    async def _photo(self, request: Request) -> Response:
        photo = self._photos.of(self._compared_for(request))
        if photo is None:
            raise HTTPException(NOT_FOUND)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(photo, media_type=JPEG, headers=headers)

    async def _keep_photo(self, request: Request) -> Response:
        await self._photos.keep(self._compared_for(request), await read_photo(request))
        return RedirectResponse(f"/technician/meters/{self._asked_for(request)}", status_code=303)

    def _compared_for(self, request: Request) -> Compared:
        compared = self._desk.compared.get((self._asked_for(request), request.path_params["quantity"]))
        if compared is None:
            raise RefusalError("this register was not compared yet; compare it with the dial first")
        return compared

    async def _frames(self, request: Request) -> Response:
        meter_id = self._asked_for(request)
        found = next((one for one in meter_views(self._sources) if one.meter_id == str(meter_id)), None)
        if found is None:
            raise HTTPException(NOT_FOUND)
        return self._render.page("frames.html", meter=found, frames=self._desk.frames(meter_id))

    async def _report(self, _: Request) -> Response:
        await self._desk.settle()
        told, meters, compared = await status(self._sources), meter_views(self._sources), self.compared()
        faces = self._sources.board.wires
        return self._render.page(
            "report.html",
            name=self._sources.gateway_name(),
            now=self._sources.clock.now(),
            status=told,
            wires=wire_views(self._sources),
            answered={name: answered_percent(face) for name, face in faces.items()},
            meters=meters,
            quality=await self.qualities(),
            compared={(one.meter_id, one.quantity): one for one in compared},
            drafts=self.drafts(),
            open_points=open_points(told, meters, compared, self.drafts(), faces),
        )

    def _view(self, draft: Draft) -> DraftView:
        device = draft.device
        return DraftView(
            meter_id=str(device.meter_id),
            label=device.label,
            serial=device.serial,
            wire=device.wire,
            address=device.address,
            profile=device.profile,
            by=draft.by,
            at=draft.at,
            points=tuple(points_of(device, draft.outcome, self._sources.units)),
            read_at=draft.read_at,
        )

    def _asked_for(self, request: Request) -> MeterId:
        return MeterId(parse_id(request.path_params["meter_id"]))


def quality_words(quality: int) -> str:
    """Return what is held against a value, in words."""
    return "、".join(words for flag, words in _QUALITY_WORDS.items() if flag & quality)


def answered_percent(face: WireFace) -> int | None:
    """Return how many questions of a wire in a hundred were answered, rounded down; None before the first."""
    return face.stats.answers * PERCENT // face.stats.exchanges if face.stats.exchanges else None


def open_points(
    told: Mapping[str, object],
    meters: tuple[MeterView, ...],
    compared: tuple[ComparedView, ...],
    drafts: tuple[DraftView, ...],
    wires: Mapping[str, WireFace],
) -> tuple[tuple[str, str], ...]:
    """Return what is still to be done before the technician may leave, in two languages."""
    points: list[tuple[str, str]] = []
    uplink = told["uplink"]
    if not (isinstance(uplink, dict) and uplink.get("enrolled")):
        points.append(("网关尚未登记", "the gateway is not enrolled"))
    elif not uplink.get("connected"):
        points.append(("尚未连接云端", "the cloud is not reached"))
    if told["clock"] == "bounded":
        points.append(("时钟未校准", "the clock is not trusted yet"))
    if not meters:
        points.append(("还没有表计配置", "no meter is configured yet"))
    for name, face in wires.items():
        percent = answered_percent(face)
        if percent is not None and percent < GOOD_PERCENT:
            points.append((f"线路 {name} 应答率 {percent}%", f"wire {name} answers {percent} % of the questions"))
    for meter in meters:
        points += _of_meter(meter, compared)
    points += [(f"{draft.serial}：待管理处接受", f"{draft.serial}: the office has not accepted it") for draft in drafts]
    return tuple(points)


def _of_meter(meter: MeterView, compared: tuple[ComparedView, ...]) -> list[tuple[str, str]]:
    name = meter.label or meter.serial
    held = [one for one in compared if one.meter_id == meter.meter_id]
    if not any(point.value for point in meter.points):
        return [(f"{name}：没有读数", f"{name}: no reading")]
    if not held:
        return [(f"{name}：未与表盘核对", f"{name}: not compared with the dial")]
    return [
        (f"{name}：与表盘相差 {one.difference}", f"{name}: differs from the dial by {one.difference}")
        for one in held
        if not one.agrees
    ]


def _compared_view(compared: Compared, *, has_photo: bool) -> ComparedView:
    one = compared.comparison
    return ComparedView(
        meter_id=str(one.meter_id),
        quantity=one.quantity,
        dial=format_milli(one.dial_milli),
        read=format_milli(one.read_milli),
        difference=format_milli(one.difference_milli),
        agrees=abs(one.difference_milli) < MILLI,
        by=one.by,
        at=compared.at,
        photo=f"/technician/meters/{one.meter_id}/photos/{one.quantity}",
        has_photo=has_photo,
    )


def _products(profile: Profile) -> str:
    return f"{profile.vendor} {', '.join(profile.products)}"[:80]
