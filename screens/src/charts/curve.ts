/* The curve of one measurand: readings as they are, set points as lines across, the event as a line down. */
import { SEVERITY_COLOUR } from '../format/severity'
import { hourMinute, timeOfDay } from '../format/time'
import { measured } from '../format/number'
import type { Curve } from '../api/types'
import type { ChartOption } from './echarts'
import { FONT, PALETTE } from './palette'

export interface SetPoint {
  readonly label: string
  readonly value: number
  readonly severity: 1 | 2
}

export interface CurveEvent {
  readonly label: string
  readonly atMs: number
}

const HEADROOM = 1.08
/** A gap this many times the usual interval is a gap, not a line. */
const GAP = 6
const LEAST_GAP_MS = 30_000
const AFTERWARDS_MS = 60_000

/** Return `[time, value]` pairs with a null where the device was silent: a line must not claim what nobody measured. */
export function withGaps(times: readonly number[], values: readonly number[]): [number, number | null][] {
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? time))
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0
  const longest = Math.max(LEAST_GAP_MS, usual * GAP)
  return times.flatMap((time, i): [number, number | null][] => {
    const point: [number, number | null] = [time, values[i] ?? null]
    const before = times[i - 1]
    return before !== undefined && time - before > longest ? [[before + 1, null], point] : [point]
  })
}

/** Return the ends of the scale: set points are always in the picture, and so is zero where there are any. */
export function scaleOf(values: readonly number[], setPoints: readonly SetPoint[]): { min: number; max: number } | null {
  if (setPoints.length === 0) return null
  const ends = [...values, ...setPoints.map((point) => point.value)]
  return { min: rounded(Math.min(0, ...ends) * HEADROOM), max: rounded(Math.max(...ends) * HEADROOM) }
}

const rounded = (value: number) => Number(value.toPrecision(3))

/** Return where the picture ends: around an event not long after the last reading, else where it was asked to. */
function endOf(curve: Curve, event: CurveEvent | undefined): number {
  if (event === undefined) return curve.to_ms
  return Math.min(curve.to_ms, Math.max(curve.time_ms.at(-1) ?? 0, event.atMs) + AFTERWARDS_MS)
}

export function curveOption(curve: Curve, name: string, setPoints: readonly SetPoint[], event?: CurveEvent): ChartOption {
  const scale = scaleOf(curve.value, setPoints)
  return {
    animation: false,
    textStyle: { fontFamily: FONT },
    grid: { left: 8, right: 64, top: 28, bottom: 4, containLabel: true },
    tooltip: tooltip(curve, name),
    xAxis: {
      type: 'time',
      min: curve.from_ms,
      max: endOf(curve, event),
      axisLabel: { color: PALETTE.muted, hideOverlap: true, formatter: (value: number) => hourMinute(value) },
      axisLine: { lineStyle: { color: PALETTE.line } },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      name: curve.unit,
      nameTextStyle: { color: PALETTE.muted, align: 'left' },
      scale: scale === null,
      ...scale,
      axisLabel: { color: PALETTE.muted, showMinLabel: scale === null || scale.min === 0, showMaxLabel: scale === null },
      splitLine: { lineStyle: { color: PALETTE.line, type: 'dashed' } },
    },
    series: [
      {
        type: 'line',
        name,
        data: withGaps(curve.time_ms, curve.value),
        showSymbol: curve.time_ms.length < 3,
        lineStyle: { color: PALETTE.curve, width: 2 },
        itemStyle: { color: PALETTE.curve },
        areaStyle: { color: PALETTE.curve, opacity: 0.1, origin: 'start' },
        markLine: { silent: true, symbol: 'none', data: [...setPoints.map(across), ...(event ? [down(event)] : [])] },
      },
    ],
  }
}

function tooltip(curve: Curve, name: string): NonNullable<ChartOption['tooltip']> {
  return {
    trigger: 'axis',
    backgroundColor: PALETTE.panel,
    borderColor: PALETTE.line,
    textStyle: { color: PALETTE.text, fontFamily: FONT },
    axisPointer: { lineStyle: { color: PALETTE.muted } },
    // The name is from our own catalogue or the service's table of measurands, never from a device.
    formatter: (shown) => {
      const point = (Array.isArray(shown) ? shown[0] : shown)?.value as [number, number | null] | undefined
      return point?.[1] == null ? '' : `${timeOfDay(point[0])}<br>${name} <b>${measured(point[1])}</b> ${curve.unit}`
    },
  }
}

function across({ label, value, severity }: SetPoint) {
  const color = SEVERITY_COLOUR[severity]
  return { yAxis: value, lineStyle: { color, width: 1.5 }, label: { formatter: `${label} ${value}`, color, position: 'end' as const } }
}

function down({ label, atMs }: CurveEvent) {
  const color = PALETTE.event
  return { xAxis: atMs, lineStyle: { color, type: 'dotted' as const }, label: { formatter: label, color, position: 'end' as const } }
}
