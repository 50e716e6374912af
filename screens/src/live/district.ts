/* What the page knows of the district right now: read once, then kept up to date by the stream. */
import { computed, ref, shallowRef } from 'vue'
import * as calls from '../api/calls'
import type { Me, Overview, Rule, SiteState, Status, StreamItem } from '../api/types'
import { applyItems, gravestAlarms, newestHazards, startBooks, type Books } from './books'
import { forgetPlaces } from './places'
import { openStream, type Connection } from './stream'

const FLUSH_MS = 50
const REFRESH_MS = 1_000
const AT_LEAST_EVERY_MS = 15_000
const START_AGAIN_MS = 5_000

export type LoadState = 'loading' | 'ready' | 'failed'

const EMPTY: Books = startBooks(0, [], [])

export const user = ref<Me | null>(null)
export const loadState = ref<LoadState>('loading')
export const connection = ref<Connection>('connecting')
export const overview = shallowRef<Overview | null>(null)
export const status = shallowRef<Status | null>(null)
export const sites = shallowRef<SiteState[]>([])
export const rules = shallowRef<ReadonlyMap<string, Rule>>(new Map())
export const truncated = ref({ alarms: false, hazards: false })
const books = shallowRef<Books>(EMPTY)

export const alarms = computed(() => gravestAlarms(books.value))
export const hazards = computed(() => newestHazards(books.value))
export const alarmById = (id: number) => books.value.alarms.get(id)
export const hazardById = (id: string) => books.value.hazards.get(id)
export const mayAct = computed(() => user.value !== null && user.value.role !== 'viewer')

let closeStream: () => void = () => undefined
let watching = 0
let pending: StreamItem[] = []
const timers = new Set<number>()

function later(act: () => void, delay: number): void {
  const timer = window.setTimeout(() => {
    timers.delete(timer)
    act()
  }, delay)
  timers.add(timer)
}

/** Read everything, then follow the stream; on failure say so and try again. */
export async function watch(): Promise<void> {
  stopWatching()
  const mine = ++watching
  loadState.value = 'loading'
  try {
    await read(mine)
  } catch {
    if (mine !== watching) return
    loadState.value = 'failed'
    later(() => void watch(), START_AGAIN_MS)
    return
  }
  if (mine === watching) follow()
}

/** The position in the stream is taken first: what changes while the lists are read is told again by the stream. */
async function read(mine: number): Promise<void> {
  const look = await calls.overview()
  const [grave, others, hazardPage, siteStates, book] = await Promise.all([
    calls.openAlarms([1]),
    calls.openAlarms([2, 3, 4]),
    calls.openHazards(),
    calls.sites(),
    calls.rules(),
  ])
  if (mine !== watching) return
  overview.value = look
  status.value = look.status
  sites.value = siteStates
  rules.value = new Map(book.map((rule) => [rule.code, rule]))
  books.value = startBooks(look.feed_id, [...grave.items, ...others.items], hazardPage.items)
  const more = grave.next_before_id !== null || others.next_before_id !== null
  truncated.value = { alarms: more, hazards: hazardPage.next_after !== null }
}

function follow(): void {
  loadState.value = 'ready'
  closeStream = openStream({
    lastId: () => books.value.lastId,
    onItem,
    onStatus,
    onConnection: (state) => (connection.value = state),
    onRefused: () => void calls.whoAmI().catch(() => undefined), // a session that is over shows the login
  })
  keepFresh()
}

function onItem(item: StreamItem): void {
  if (pending.length === 0) later(flush, FLUSH_MS)
  pending.push(item)
}

function flush(): void {
  const items = pending
  pending = []
  books.value = applyItems(books.value, items)
  refreshSoon()
}

function onStatus(now: Status): void {
  const before = status.value
  status.value = now
  if (before?.online !== now.online || before.registered !== now.registered) refreshSoon()
}

let refreshing = false

function refreshSoon(): void {
  if (refreshing) return
  refreshing = true
  later(() => void refresh(), REFRESH_MS)
}

/** Counts and map come from the service, at most once a second: it has counted all, we list only the newest. */
async function refresh(): Promise<void> {
  const mine = watching
  refreshing = false
  try {
    const [look, siteStates] = await Promise.all([calls.overview(), calls.sites()])
    if (mine !== watching) return
    overview.value = look
    sites.value = siteStates
  } catch {
    // the connection's own sign tells; the next change or the next interval asks again
  }
}

function keepFresh(): void {
  later(() => {
    refreshSoon()
    keepFresh()
  }, AT_LEAST_EVERY_MS)
}

/** Forget everything: nobody is logged in any more, or reading begins anew. */
export function stopWatching(): void {
  watching += 1
  closeStream()
  closeStream = () => undefined
  timers.forEach((timer) => window.clearTimeout(timer))
  timers.clear()
  pending = []
  refreshing = false
  books.value = EMPTY
  overview.value = null
  sites.value = []
  connection.value = 'connecting'
  forgetPlaces()
}
