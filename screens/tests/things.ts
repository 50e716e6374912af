/* Things of the field for tests, with every field filled in. */
import type { Alarm, Hazard, SiteState, Status, StreamItem } from '../src/api/types'

export function alarm(id: number, changes: Partial<Alarm> = {}): Alarm {
  return {
    id,
    rule: 'G102',
    device: 'a/s/gas-1',
    area: 'a',
    site: 's',
    severity: 2,
    state: 'active_unacked',
    active: true,
    acknowledged: false,
    raised_at_ms: 1000 * id,
    event_ms: 1000 * id,
    changed_at_ms: 1000 * id,
    cleared_at_ms: null,
    late: false,
    cycles: 1,
    evidence: {},
    acknowledged_by: null,
    shelved_until_ms: null,
    shelve_reason: null,
    hazard: null,
    ...changes,
  }
}

export function hazard(id: string, changes: Partial<Hazard> = {}): Hazard {
  return {
    id,
    state: 'clue',
    grade: 'general',
    channel: 'monitoring',
    title: '气体二级报警',
    description: '',
    basis: 'GB/T 50493-2019',
    area: 'a',
    site: 's',
    device: null,
    rule: 'G101',
    severity: 1,
    opened_at_ms: 1000,
    changed_at_ms: 1000,
    due_ms: null,
    assignee: null,
    alarms: [],
    reopened: 0,
    ...changes,
  }
}

export function item(id: number, kind: string, body: Alarm | Hazard): StreamItem {
  return { id, at_ms: body.changed_at_ms, kind, body: { ...body } }
}

export function site(changes: Partial<SiteState> = {}): SiteState {
  return {
    area: 'a',
    site: 's',
    name: '一号食堂',
    area_name: '北渡街道',
    enterprise_name: null,
    industry: null,
    risk: 'general',
    lat: 33.74,
    lon: 113.3,
    devices: 2,
    online: 2,
    silent: 0,
    open_alarms: 0,
    active_alarms: 0,
    worst: null,
    ...changes,
  }
}

export function status(changes: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    started_at_ms: 0,
    now_ms: 0,
    registered: 0,
    online: 0,
    silent: 0,
    unknown: 0,
    received: 0,
    decoded: 0,
    dead: 0,
    duplicate: 0,
    thinned: 0,
    in_flight: 0,
    messages_per_s: 0,
    lag_ms: 0,
    overloaded: false,
    broker_connected: true,
    broker_dropped: 0,
    disk_low: false,
    disk_full: false,
    stores_ok: true,
    journal_bytes: 0,
    ...changes,
  }
}
