/* Addresses and steps: what is sent is what the service takes. */
import { describe, expect, it } from 'vitest'
import { fieldsOf, stepOf } from '../src/drawers/step'
import { said } from '../src/drawers/chain'
import { endOfDay } from '../src/format/time'
import { fromAddress, toAddress, type Opened } from '../src/live/open'
import { zh } from '../src/words/zh'

const ENTERED = { basis: ' 现场核实 ', note: '', grade: 'major', assignee: '赵巡检', due: '2026-12-31' } as const

describe('a step of a hazard', () => {
  it('says only what it may', () => {
    expect(stepOf('verify', ENTERED)).toEqual({ event: 'verify', basis: '现场核实', note: '' })
    expect(stepOf('register', ENTERED)).toMatchObject({ grade: 'major' })
    expect(stepOf('register', ENTERED)).not.toHaveProperty('assignee')
  })

  it('carries a deadline as the end of its day, and none that was not entered', () => {
    expect(stepOf('assign', ENTERED)).toMatchObject({ assignee: '赵巡检', due_ms: endOfDay('2026-12-31') })
    expect(stepOf('assign', { ...ENTERED, due: '' })).not.toHaveProperty('due_ms')
  })

  it('must name a new deadline when it extends', () => {
    expect(fieldsOf('extend').due).toBe('must')
    expect(fieldsOf(null)).toEqual({ grade: false, assignee: false, due: 'no' })
  })
})

describe('a row of the chain', () => {
  it('says grade, who is responsible and until when', () => {
    const data = { grade: 'major', assignee: '赵巡检', due_ms: endOfDay('2026-12-31') }
    expect(said(data, zh)).toEqual(['等级 重大隐患', '责任人 赵巡检', '整改期限 2026-12-31 23:59:59'])
  })

  it('says nothing where it has nothing to say', () => {
    expect(said({ due_ms: null, severity: 2 }, zh)).toEqual([])
  })
})

describe('an address', () => {
  const all: (Opened | null)[] = [
    { kind: 'alarm', id: 12 },
    { kind: 'hazard', id: 'ZH-2026-000001' },
    { kind: 'device', path: 'beidu/canteen-1/gas-001' },
    { kind: 'new-hazard' },
    { kind: 'password' },
    null,
  ]

  it.each(all)('leads back to what it was made of: %j', (opened) => {
    expect(fromAddress(toAddress(opened))).toEqual(opened)
  })

  it.each(['/alarms/x', '/alarms', '/devices/a/b', '/nonsense/1', '/%'])('of nothing is told as such: %s', (address) => {
    expect(fromAddress(address)).toEqual({ kind: 'nothing' })
  })
})
