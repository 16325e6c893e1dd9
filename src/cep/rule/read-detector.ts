import { isMap } from 'yaml'
import { adwin } from '../detect/adwin.js'
import { auto } from '../detect/auto.js'
import { cusum } from '../detect/cusum.js'
import type { DetectOptions } from '../detect/compile-detect.js'
import { ewma } from '../detect/ewma.js'
import { halfSpaceTrees, type HalfSpaceTreesOptions } from '../detect/half-space-trees.js'
import { heartbeat, type HeartbeatOptions } from '../detect/heartbeat.js'
import { holtWinters } from '../detect/holt-winters.js'
import { hourOfWeek } from '../detect/hour-of-week.js'
import { medianMad } from '../detect/median-mad.js'
import { pageHinkley } from '../detect/page-hinkley.js'
import { peer } from '../detect/peer.js'
import { quantileBand } from '../detect/quantile-band.js'
import { rateOfChange } from '../detect/rate-of-change.js'
import { threshold } from '../detect/threshold.js'
import { twoWindow } from '../detect/two-window.js'
import { isFault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { readChoice, readDuration, readNumber } from './read-fields.js'
import type { Entry, RuleFile } from './rule-file.js'

type Plan = NonNullable<DetectOptions['detector']>
type Option = 'number' | 'duration' | readonly string[]
type Options = Readonly<Record<string, unknown>>

interface DetectorKind {
  readonly make: (options: Options) => Plan
  readonly options: Readonly<Record<string, Option>>
}

const NUMBERS = (...names: string[]): Record<string, Option> => Object.fromEntries(names.map((n) => [n, 'number']))

/** By name: what makes it, and what its options are. */
const DETECTORS: Readonly<Record<string, DetectorKind>> = {
  auto: { make: auto, options: NUMBERS('capacity', 'calm') },
  threshold: { make: threshold, options: NUMBERS('above', 'clearAbove', 'below', 'clearBelow') },
  heartbeat: { make: (o) => heartbeat(o as unknown as HeartbeatOptions), options: { every: 'duration' } },
  ewma: { make: ewma, options: NUMBERS('halfLife', 'warmUp') },
  medianMad: { make: medianMad, options: NUMBERS('window', 'warmUp') },
  quantileBand: { make: quantileBand, options: NUMBERS('lower', 'upper', 'warmUp') },
  rateOfChange: { make: rateOfChange, options: NUMBERS('rise', 'fall', 'halfLife') },
  cusum: { make: cusum, options: NUMBERS('slack', 'learn') },
  pageHinkley: { make: pageHinkley, options: NUMBERS('delta', 'learn') },
  adwin: { make: adwin, options: NUMBERS('delta', 'window') },
  twoWindow: { make: twoWindow, options: { ...NUMBERS('recent', 'reference'), test: ['level', 'shape'] } },
  holtWinters: {
    make: holtWinters,
    options: { period: 'duration', ...NUMBERS('slots', 'level', 'trend', 'season') },
  },
  hourOfWeek: {
    make: hourOfWeek,
    options: { period: 'duration', offset: 'duration', ...NUMBERS('slots', 'halfLife') },
  },
  halfSpaceTrees: {
    make: (o) => halfSpaceTrees(o as unknown as HalfSpaceTreesOptions),
    options: NUMBERS('dimensions', 'trees', 'depth', 'window', 'seed'),
  },
  peer: { make: peer, options: { fresh: 'duration', ...NUMBERS('peers') } },
}
const NAMES = Object.keys(DETECTORS)

/** Reads `detector: ewma`, or `detector: { ewma: { halfLife: 50 } }`. */
export function readDetector(entry: Entry | undefined, file: RuleFile): Plan | undefined {
  if (entry === undefined) return undefined
  const [named, more] = isMap(entry.value) ? file.pairs(entry.value, 'detector', entry.keyAt) : []
  if (more !== undefined) file.issue(more.keyAt, 'a rule has one detector')
  const name = named === undefined ? file.text(entry, 'detector') : named.key
  if (name === undefined) return undefined
  const kind = Object.hasOwn(DETECTORS, name) ? DETECTORS[name] : undefined
  const at = named?.keyAt ?? file.at(entry.value, entry.keyAt)
  if (kind === undefined) {
    const nearest = nearestName(name.slice(0, 100), NAMES)
    const hint = nearest === undefined ? `there are: ${NAMES.join(', ')}` : `did you mean ${nearest}?`
    file.issue(at, `there is no detector ${name.slice(0, 100)}; ${hint}`)
    return undefined
  }
  const before = file.issues.length
  const options = named === undefined || isEmpty(named) ? {} : readOptions(named, kind, file)
  if (file.issues.length > before) return undefined
  try {
    return kind.make(options)
  } catch (error) {
    if (!isFault(error)) throw error
    file.issue(at, error.detail)
    return undefined
  }
}

/** `ewma:` with nothing after it. */
function isEmpty({ value }: Entry): boolean {
  return value === null || (!isMap(value) && String(value.toJSON()) === 'null')
}

function readOptions(entry: Entry, { options }: DetectorKind, file: RuleFile): Options {
  const found: Record<string, unknown> = {}
  for (const [name, field] of file.entries(entry.value, entry.key, Object.keys(options), entry.keyAt)) {
    const option = options[name] ?? 'number'
    const value =
      option === 'duration'
        ? readDuration(file, field)
        : option === 'number'
          ? readNumber(file, field)
          : readChoice(file, field, option)
    if (value !== undefined) found[name] = value
  }
  return found
}

/** Reads `decision: { threshold, clear, persist, warmUp, coolDown, side }`. */
export function readDecision(entry: Entry | undefined, file: RuleFile): DetectOptions['decision'] {
  if (entry === undefined) return undefined
  const known = ['threshold', 'clear', 'persist', 'warmUp', 'coolDown', 'side']
  const fields = file.entries(entry.value, 'decision', known, entry.keyAt)
  const found: Record<string, unknown> = {}
  for (const [name, field] of fields) {
    const value =
      name === 'side'
        ? readChoice(file, field, ['both', 'above', 'below'])
        : name === 'coolDown'
          ? readDuration(file, field)
          : readNumber(file, field)
    if (value !== undefined) found[name] = value
  }
  return found
}
