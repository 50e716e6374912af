/* Sites by longitude and latitude on a plain grid, drawn true to scale; colour tells the worst open alarm, size how many. */
import { SEVERITY_COLOUR } from '../format/severity'
import type { SiteState } from '../api/types'
import type { ChartOption } from './echarts'
import { placeNames, type Named, type Side } from './names'
import { FONT, PALETTE } from './palette'

export interface Box {
  readonly lon: readonly [number, number]
  readonly lat: readonly [number, number]
  /** Degrees between two lines of the grid. */
  readonly step: number
  /** The size of the picture, in pixels. */
  readonly width: number
  readonly height: number
}

export type PlacedSite = SiteState & { lat: number; lon: number }

const MARGIN = 0.14
/** About a kilometre: a district of one site is not drawn to the metre. */
const LEAST_DEGREES = 0.01
/** Between two lines of the grid there is room for a label, in pixels. */
const LEAST_SPACING = 80
const STEPS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
const SMALLEST = 15
const LARGEST = 44
const NAME_SIZE = 14
const AREA_NAME_SIZE = 16

export function isPlaced(site: SiteState): site is PlacedSite {
  return site.lat !== null && site.lon !== null
}

/** Return the piece of land to draw: all sites with a margin, widened so that a kilometre is as long either way. */
export function landOf(sites: readonly PlacedSite[], width: number, height: number): Box {
  const lon = span(sites.map((site) => site.lon))
  const lat = span(sites.map((site) => site.lat))
  const shrink = Math.cos((middle(lat) * Math.PI) / 180)
  const perPixel = Math.max(((lon[1] - lon[0]) * shrink) / width, (lat[1] - lat[0]) / height)
  const step = STEPS.find((degrees) => degrees >= (perPixel / shrink) * LEAST_SPACING) ?? 1
  return {
    lon: around(middle(lon), (perPixel * width) / shrink),
    lat: around(middle(lat), perPixel * height),
    step,
    width,
    height,
  }
}

function span(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const margin = Math.max(LEAST_DEGREES / 2, (high - low) * MARGIN)
  return [low - margin, high + margin]
}

const middle = (range: readonly [number, number]) => (range[0] + range[1]) / 2
const around = (centre: number, size: number): [number, number] => [centre - size / 2, centre + size / 2]

/** Return the diameter in pixels: the area grows with the number of alarms. */
export function sizeOf(alarms: number): number {
  return Math.min(LARGEST, SMALLEST + (alarms === 0 ? 0 : 7 * Math.sqrt(alarms)))
}

export function colourOf(site: SiteState): string {
  if (site.worst !== null) return SEVERITY_COLOUR[site.worst]
  return site.devices > 0 && site.online === 0 ? PALETTE.silent : PALETTE.quiet
}

export interface MapLook {
  readonly land: Box
  /** `area/site` of the chosen site. */
  readonly chosen: string | null
  /** HTML of the tooltip; names in it must be escaped. */
  readonly describe: (site: SiteState) => string
}

export const keyOf = (site: SiteState) => `${site.area}/${site.site}`

export function mapOption(sites: readonly PlacedSite[], look: MapLook): ChartOption {
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 0, right: 0, top: 0, bottom: 0 },
    tooltip: {
      backgroundColor: PALETTE.panel,
      borderColor: PALETTE.line,
      textStyle: { color: PALETTE.text, fontFamily: FONT },
      formatter: (shown) => tip(Array.isArray(shown) ? shown[0]?.dataIndex : shown.dataIndex, sites, look),
    },
    xAxis: axis(look.land.lon, 'E', look.land.step),
    yAxis: axis(look.land.lat, 'N', look.land.step),
    series: series(sites, look),
  }
}

function tip(index: number | undefined, sites: readonly PlacedSite[], look: MapLook): string {
  const site = index === undefined ? undefined : sites[index]
  return site === undefined ? '' : look.describe(site)
}

function axis(range: readonly [number, number], side: string, step: number) {
  return {
    type: 'value' as const,
    min: range[0],
    max: range[1],
    interval: step,
    axisLabel: {
      inside: true,
      color: PALETTE.silent,
      fontSize: 11,
      showMinLabel: false,
      showMaxLabel: false,
      formatter: (value: number) => `${value.toFixed(step < 0.01 ? 3 : 2)}°${side}`,
    },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: PALETTE.line, opacity: 0.7 } },
  }
}

/** Sites come with the gravest last, who are drawn over the others; names are placed for the gravest first, for areas last. */
function series(sites: readonly PlacedSite[], look: MapLook) {
  const areas = areasOf(sites)
  const gravestFirst = [...sites].reverse().map((site) => namedSite(site, look.land))
  const { width, height } = look.land
  const sides = placeNames([...gravestFirst, ...areas.map((area) => namedArea(area, look.land))], width, height)
  return [areaNames(areas, sides.slice(sites.length)), symbols(sites, sides.slice(0, sites.length).reverse(), look)]
}

function symbols(sites: readonly PlacedSite[], sides: readonly (Side | null)[], { chosen }: MapLook) {
  return {
    type: 'scatter' as const,
    data: sites.map((site, i) => ({
      value: [site.lon, site.lat],
      symbolSize: sizeOf(site.open_alarms),
      itemStyle: { color: colourOf(site), opacity: cleared(site) ? 0.55 : 1, ...edge(site, chosen) },
      label: {
        show: sides[i] !== null,
        formatter: site.open_alarms > 0 ? `{n|${site.open_alarms}} ${nameOf(site)}` : nameOf(site),
        position: sides[i] ?? 'right',
        fontWeight: site.worst === null ? ('normal' as const) : ('bold' as const),
        color: site.worst === null ? PALETTE.muted : PALETTE.text,
      },
    })),
    label: {
      fontSize: NAME_SIZE,
      fontFamily: FONT,
      textBorderColor: '#0b1424',
      textBorderWidth: 3,
      rich: { n: { fontWeight: 'bold' as const, fontSize: 15, color: '#fff', textBorderColor: '#0b1424', textBorderWidth: 3 } },
    },
  }
}

/** Whether alarms wait here to be acknowledged, and all of their causes are gone. */
const cleared = (site: SiteState) => site.open_alarms > 0 && site.active_alarms === 0

function edge(site: SiteState, chosen: string | null) {
  if (keyOf(site) === chosen) return { borderColor: '#fff', borderWidth: 3 }
  const glows = site.worst === 1 && !cleared(site)
  return glows ? { shadowBlur: 22, shadowColor: colourOf(site) } : { borderColor: '#0b1424', borderWidth: 1.5 }
}

const nameOf = (site: SiteState) => site.name ?? site.site

function namedSite(site: PlacedSite, land: Box): Named {
  const text = site.open_alarms > 0 ? `${site.open_alarms} ${nameOf(site)}` : nameOf(site)
  const radius = sizeOf(site.open_alarms) / 2
  return { text, ...pixel(site.lon, site.lat, land), radius, fontSize: NAME_SIZE, must: site.open_alarms > 0 }
}

interface AreaName {
  readonly text: string
  readonly lon: number
  readonly lat: number
}

/** Return the areas with the middle of their sites. */
function areasOf(sites: readonly PlacedSite[]): AreaName[] {
  const areas = new Map<string, PlacedSite[]>()
  sites.forEach((site) => areas.set(site.area, [...(areas.get(site.area) ?? []), site]))
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return [...areas.values()].map((within) => ({
    text: within[0]?.area_name ?? within[0]?.area ?? '',
    lon: mean(within.map((site) => site.lon)),
    lat: mean(within.map((site) => site.lat)),
  }))
}

function namedArea({ text, lon, lat }: AreaName, land: Box): Named {
  return { text, ...pixel(lon, lat, land), radius: 0, fontSize: AREA_NAME_SIZE, must: false }
}

function pixel(lon: number, lat: number, { lon: wide, lat: high, width, height }: Box) {
  return {
    x: ((lon - wide[0]) / (wide[1] - wide[0])) * width,
    y: ((high[1] - lat) / (high[1] - high[0])) * height,
  }
}

function areaNames(areas: readonly AreaName[], sides: readonly (Side | null)[]) {
  return {
    type: 'scatter' as const,
    silent: true,
    symbolSize: 0,
    z: 1,
    data: areas.map(({ text, lon, lat }, i) => ({
      value: [lon, lat],
      label: { show: sides[i] !== null, formatter: text, position: sides[i] ?? 'right' },
    })),
    label: { color: PALETTE.muted, opacity: 0.35, fontSize: AREA_NAME_SIZE, fontFamily: FONT },
  }
}
