/* Times, numbers and evidence as people read them. */
import { describe, expect, it } from 'vitest'
import { account, balances, warnings } from '../src/format/account'
import { facts } from '../src/format/evidence'
import { count, measured, percent } from '../src/format/number'
import { ago, dateTime, duration, endOfDay, hourMinute } from '../src/format/time'
import { en } from '../src/words/en'
import { zh } from '../src/words/zh'
import { status } from './things'

describe('times', () => {
  it('are Beijing time wherever the screen hangs', () => {
    expect(dateTime(Date.parse('2026-01-31T16:05:09Z'))).toBe('2026-02-01 00:05:09')
    expect(hourMinute(Date.parse('2026-01-31T15:59:59Z'))).toBe('23:59')
  })

  it.each([
    [-5, '刚刚'],
    [999, '刚刚'],
    [59_999, '59 秒'],
    [60_000, '1 分钟'],
    [3_599_999, '59 分钟'],
    [86_399_999, '23 小时'],
    [90_000_000, '1 天'],
  ])('a duration of %d ms reads %s', (ms, text) => {
    expect(duration(ms, zh.time)).toBe(text)
  })

  it('say how long ago, in either language', () => {
    expect(ago(120_000, zh)).toBe('2 分钟前')
    expect(ago(120_000, en)).toBe('2 min ago')
    expect(ago(0, en)).toBe('just now')
  })

  it('end a day at its last second in Beijing', () => {
    expect(dateTime(endOfDay('2026-12-31'))).toBe('2026-12-31 23:59:59')
  })
})

describe('numbers', () => {
  it('never round a share up to a whole that is not reached', () => {
    expect(percent(9999, 10_000)).toBe('99.9%')
    expect(percent(43, 43)).toBe('100%')
    expect(percent(0, 0)).toBe('–')
  })

  it('keep four significant digits and no idle zeros', () => {
    expect([measured(25.6), measured(0.123456), measured(50), measured(1234.56)]).toEqual(['25.6', '0.1235', '50', '1235'])
    expect(count(1234567)).toBe('1,234,567')
  })
})

describe('the account of messages', () => {
  it('holds when every message is somewhere', () => {
    expect(balances(status({ received: 10, decoded: 5, dead: 1, duplicate: 2, thinned: 1, in_flight: 1 }))).toBe(true)
  })

  it('does not hold when one is nowhere, or in two places', () => {
    expect(balances(status({ received: 10, decoded: 9 }))).toBe(false)
    expect(balances(status({ received: 10, decoded: 11, in_flight: -1 }))).toBe(false)
  })
})

describe('the state of the service', () => {
  it('needs no word when all is well', () => {
    expect(warnings(status({ received: 3, decoded: 3 }), zh)).toEqual([])
  })

  it('is told, the gravest first', () => {
    const bad = status({ received: 3, disk_full: true, disk_low: true, broker_dropped: 1200, lag_ms: 61_000 })
    expect(warnings(bad, zh)).toEqual(['磁盘已满，暂停接收', '对账不平', '消息服务器丢弃 1,200 条', '处理延迟 1 分钟'])
  })

  it('accounts for every message in one sentence', () => {
    const text = account(status({ received: 1234, decoded: 1233, thinned: 1 }), zh.counts)
    expect(text).toBe('收 1,234 = 解码 1,233 + 死信 0 + 重复 0 + 舍弃 1 + 在途 0')
  })
})

describe('evidence', () => {
  const naming = (name: string) => ({ ch4_lel: '甲烷' })[name] ?? name
  const said = (evidence: Record<string, unknown>) => facts(evidence, zh, naming).map((fact) => `${fact.label}=${fact.text}`)

  it('begins with the reading that decided, with its unit', () => {
    const evidence = { source: 'value', measurand: 'ch4_lel', value: 25.6, unit: '%LEL', set_point: 25, lel_vol: 5 }
    expect(said(evidence)).toEqual(['读数=甲烷 25.6 %LEL', '设定值=25 %LEL', '爆炸下限=5 %VOL', '来源=测量值'])
  })

  it('tells lists, yes and no, and codes in words', () => {
    expect(said({ reason: 'silent', ever_heard: false, points: ['smoke', 'heat'] })).toEqual([
      '报警点位=感烟、感温',
      '原因=超时未上报',
      '曾经上报=否',
    ])
  })

  it('tells which sensors agree, and the limits of several signs', () => {
    const seen = { device: 'a/s/g1', rule: 'G105', measurand: 'ch4_lel', value: 7, unit: '%LEL' }
    expect(said({ sensors: [seen, { ...seen, device: 'a/s/g2' }], apart_s: 5 })).toEqual([
      '相互印证的探测器=a/s/g1 G105 甲烷 7 %LEL；a/s/g2 G105 甲烷 7 %LEL',
      '相隔（秒）=5',
    ])
    expect(said({ limits: { smoke_dbm: 0.05, co_ppm: 10 } })).toEqual(['判据限值=烟雾减光率（dB/m） 0.05、一氧化碳（ppm） 10'])
  })

  it('tells what a statistical rule knows in the unit of its reading', () => {
    const evidence = { measurand: 'ch4_lel', value: 3, unit: '%LEL', baseline: 0.1, baseline_of: 'last_days', known_h: 30 }
    expect(said(evidence)).toEqual(['读数=甲烷 3 %LEL', '平时基线=0.1 %LEL', '基线来自=近几日', '已学习（小时）=30'])
  })

  it('marks how it cleared', () => {
    expect(said({ clear: { peaks: { ch4_lel: 88 }, lasted_s: 73 } })).toEqual(['恢复情况·持续（秒）=73', '恢复情况·期间峰值=甲烷 88'])
  })

  it('shows nothing it has no word for, and nothing that is not said', () => {
    expect(said({ id_number: '410402', reason: null, welder: '' })).toEqual([])
  })
})
