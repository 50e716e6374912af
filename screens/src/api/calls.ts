/* Every question the screens ask and every action they take, one line each. */
import { get, post } from './request'
import type {
  Alarm,
  AlarmDetail,
  AlarmEvent,
  AlarmPage,
  Curve,
  DevicePage,
  DeviceState,
  Hazard,
  HazardDetail,
  HazardPage,
  Me,
  OpenHazard,
  Overview,
  Rule,
  Severity,
  SiteState,
  TakeStep,
} from './types'

/** How many open alarms (critical, and others) and hazards a list holds at most. */
export const LISTED = 500
/** How many devices the panel holds at most. */
export const DEVICES_LISTED = 200

export const login = (name: string, password: string) => post<Me>('/login', { name, password })
export const logout = () => post<undefined>('/logout')
export const changePassword = (old: string, fresh: string) => post<Me>('/me/password', { old, new: fresh })
export const whoAmI = () => get<Me>('/me')

export const overview = () => get<Overview>('/overview')
export const rules = () => get<Rule[]>('/rules')
export const sites = () => get<SiteState[]>('/sites/state')
/** The newest of these severities: asked for apart, so that no flood of notices pushes a critical alarm off the list. */
export const openAlarms = (severities: readonly Severity[]) =>
  get<AlarmPage>(`/alarms?limit=${LISTED}&${severities.map((severity) => `severity=${severity}`).join('&')}`)
export const openHazards = () => get<HazardPage>(`/hazards?limit=${LISTED}`)

export const alarm = (id: number) => get<AlarmDetail>(`/alarms/${id}`)
export const actOnAlarm = (id: number, event: AlarmEvent, body: object) => post<Alarm>(`/alarms/${id}/${event}`, body)
export const hazard = (id: string) => get<HazardDetail>(`/hazards/${id}`)
export const openHazard = (found: OpenHazard) => post<Hazard>('/hazards', found)
export const takeStep = (id: string, step: TakeStep) => post<Hazard>(`/hazards/${id}/steps`, step)

export const device = (path: string) => get<DeviceState>(`/devices/${path}`)
export const devicesAt = (area: string, site: string) => get<DevicePage>(`/devices?${query({ area, site, limit: 1000 })}`)

export interface DevicesWanted {
  area?: string
  site?: string
  text?: string
  silent?: boolean
}

export const devices = (wanted: DevicesWanted) => get<DevicePage>(`/devices?${query({ ...wanted, limit: DEVICES_LISTED })}`)

export const series = (path: string, measurand: string, fromMs: number, toMs: number) =>
  get<Curve>(`/series?${query({ device: path, measurand, from: fromMs, to: toMs })}`)

function query(values: Record<string, string | number | boolean | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()
}
