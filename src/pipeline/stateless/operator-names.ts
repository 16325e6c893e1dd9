import { Observable } from 'rxjs'
import type { EventDraft, StoredEvent } from '../../event/event.js'

const FILE = /[\\/]rxjs[\\/][^\n]*?[\\/]operators[\\/](\w+)\.[cm]?js/g

/** Operators that remember or wait, by the file of rxjs in which they subscribe. */
const KEEPING: Readonly<Record<string, string>> = {
  audit: 'audit or auditTime',
  buffer: 'buffer',
  bufferCount: 'bufferCount',
  bufferTime: 'bufferTime',
  bufferToggle: 'bufferToggle',
  bufferWhen: 'bufferWhen',
  debounce: 'debounce',
  debounceTime: 'debounceTime',
  distinct: 'distinct',
  distinctUntilChanged: 'distinctUntilChanged',
  exhaustMap: 'exhaustMap',
  groupBy: 'groupBy',
  pairwise: 'pairwise',
  sample: 'sample or sampleTime',
  scanInternals: 'scan, reduce, count or toArray',
  share: 'share',
  skipUntil: 'skipUntil',
  skipWhile: 'skipWhile',
  switchMap: 'switchMap',
  take: 'take or first',
  takeUntil: 'takeUntil',
  takeWhile: 'takeWhile',
  throttle: 'throttle or throttleTime',
  timeInterval: 'timeInterval',
  timeout: 'timeout',
  window: 'window',
  windowCount: 'windowCount',
  windowTime: 'windowTime',
  windowToggle: 'windowToggle',
  windowWhen: 'windowWhen',
  withLatestFrom: 'withLatestFrom',
}
/** Those that do so or not, by how they are used. */
const PERHAPS: Readonly<Record<string, string>> = {
  filter: 'filter with an index, or skip',
  map: 'map with an index',
  mergeInternals: 'mergeMap, concatMap, delay or expand with something that comes later',
  observeOn: 'observeOn',
}
const DEEP = 200

/**
 * The operators of rxjs that a pipeline keeps state in, as far as can be seen from the outside: by who subscribes to
 * its input. Those of inner observables and of other libraries are not seen.
 * @param build what makes it of its input; it is subscribed to once more
 */
export function keepingOperators(build: (events$: Observable<StoredEvent>) => Observable<EventDraft>): string[] {
  let stack = ''
  const input = new Observable<StoredEvent>(() => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = DEEP
    stack += new Error('who subscribes').stack ?? ''
    Error.stackTraceLimit = stackTraceLimit
  })
  try {
    build(input)
      .subscribe({ error: () => undefined })
      .unsubscribe()
  } catch {
    return [] // a name is all that is lost
  }
  const files = [...new Set([...stack.matchAll(FILE)].map(([, file]) => file ?? ''))].toReversed()
  const known = (names: Readonly<Record<string, string>>): string[] => files.flatMap((file) => names[file] ?? [])
  const keeping = known(KEEPING)
  return keeping.length > 0 ? keeping : known(PERHAPS)
}
