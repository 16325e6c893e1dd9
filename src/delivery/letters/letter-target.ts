import { parkedUnit, type ParkedUnit } from '../../kernel/parking/parked-unit.js'
import { inputsLetters } from '../../kernel/input-filters.js'
import { partitionsOf, processorId, WHOLE, type Processor } from '../../kernel/processor.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { partitionOfKey } from '../../event/partition.js'
import type { DeadLetter } from './dead-letter.js'

/** What there is to send letters back to. */
export interface LetterPlaces {
  readonly processors: readonly Processor[]
  /** Names of the handlers that are deployed, but for those that the kernel runs. */
  readonly handlers: readonly string[]
  readonly streams: readonly StreamDeclaration[]
}

/** Where the event of a letter belongs. */
export type LetterTarget =
  | { readonly kind: 'handler'; readonly handler: string }
  | { readonly kind: 'processor'; readonly unit: ParkedUnit }
  /** It comes back with its key, in the order that the key has. */
  | { readonly kind: 'parked'; readonly unit: ParkedUnit; readonly key: string }
  /** Back to its stream, once it keeps its contract. */
  | { readonly kind: 'stream'; readonly stream: StreamDeclaration; readonly unit: ParkedUnit | undefined }
  | { readonly kind: 'none'; readonly why: string }

const HANDLER = 'handler-'

/** @param key that of the event, by which it is in a partition */
export function targetOf(letter: DeadLetter, key: string | undefined, places: LetterPlaces): LetterTarget {
  const { processor, stream } = letter
  if (letter.subject === '') return none('no event is at fault: time went on, or a step ended')
  if (processor === 'contract') return contractTarget(letter, key, places)
  const found = places.processors.find((one) => processorId(one) === processor)
  if (found === undefined && processor.startsWith(HANDLER)) {
    const handler = processor.slice(HANDLER.length)
    const known = places.handlers.includes(handler)
    return known ? { kind: 'handler', handler } : none(`handler ${handler} is not deployed`)
  }
  if (found === undefined) return none(wayOut(processor))
  const partition = unitOf(found, key)
  const unit = parkedUnit(found, partition)
  if (letter.parkedKey !== undefined) return { kind: 'parked', unit, key: letter.parkedKey }
  if (!inputsLetters(found)) return none(`${processor} reads ${stream} as a whole; make its rows or reactions anew`)
  return { kind: 'processor', unit }
}

function contractTarget({ stream }: DeadLetter, key: string | undefined, places: LetterPlaces): LetterTarget {
  const declared = places.streams.find(({ name }) => name === stream)
  if (declared === undefined) return none(`stream ${stream} is not deployed`)
  const minder = places.processors.find(
    ({ kind, from }) => (kind === 'contracts' || from.taken !== undefined) && from.stream.name === stream,
  )
  const unit = minder === undefined ? undefined : parkedUnit(minder, unitOf(minder, key))
  return { kind: 'stream', stream: declared, unit }
}

function unitOf(processor: Processor, key: string | undefined): string {
  const [first] = partitionsOf(processor)
  return first === WHOLE ? WHOLE : String(partitionOfKey(key, processor.from.stream.partitions))
}

/** What can be done instead, by what has refused it. */
const WAYS_OUT: readonly (readonly [begins: string, why: string])[] = [
  ['rule-', 'it reads its events together with other rules, which have handled this one: see millrace backtest'],
  [
    'sink-',
    'what it writes follows from the log in order: mend its code, and a new name (of a table: a new version) writes all anew',
  ],
  ['source-', 'it is not an event yet: correct it where it comes from, and send it again'],
  ['outbox-', 'it is a row of a database: correct the row and add it again'],
  ['schedule-', 'it is no event but a time: millrace schedules run NAME, once the code is mended'],
]

function wayOut(processor: string): string {
  const [, why] = WAYS_OUT.find(([begins]) => processor.startsWith(begins)) ?? []
  return why === undefined ? `${processor} is not deployed` : `${processor}: ${why}`
}

function none(why: string): LetterTarget {
  return { kind: 'none', why }
}
