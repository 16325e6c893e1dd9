import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { DEFAULT_LANE, type HandlerDeclaration, type HandlerOptions, type Lane } from './handler-options.js'

type Options = HandlerOptions<readonly EventContract[]>

/** Names of lanes become a part of the names of consumers. */
const LANE = /^[a-z0-9_-]{1,32}$/

/**
 * What a handler may emit. What it would be given itself is refused, as one event could go round for ever.
 * @throws HANDLER_INVALID, HANDLER_LOOPS
 */
export function readEmits(name: string, on: Options['on'], given: Options['emits']): HandlerDeclaration['emits'] {
  if (given === undefined) return undefined
  const { stream, events, loops = false } = given
  if (typeof stream !== 'string') throw fault('HANDLER_INVALID', `${name}: emits.stream is missing`)
  if (!Array.isArray(events) || events.length === 0) throw fault('HANDLER_INVALID', `${name}: emits.events is empty`)
  const own = new Set(on.events.map(({ type }) => type))
  const again = given.events.filter(({ type }) => stream === on.stream && own.has(type)).map(({ type }) => type)
  if (again.length > 0 && !loops) throw fault('HANDLER_LOOPS', `${name} handles and emits ${again.join(', ')}`)
  return { stream, events: Object.freeze([...given.events]) }
}

/**
 * The lanes of a handler. Without any there is one; types that no lane names are in a last one of weight 1.
 * @throws HANDLER_INVALID
 */
export function readLanes(name: string, events: readonly EventContract[], given: Options['lanes']): readonly Lane[] {
  const left = new Set(events.map(({ type }) => type))
  if (given === undefined) return [{ name: DEFAULT_LANE, types: [...left], weight: 1 }]
  const invalid = (detail: string): never => {
    throw fault('HANDLER_INVALID', `${name}: ${detail}`)
  }
  const lanes: Lane[] = []
  for (const lane of given) {
    if (!LANE.test(lane.name) || lane.name === DEFAULT_LANE)
      invalid(`lane ${JSON.stringify(lane.name)}: lower-case letters, digits, _ and -, and not "${DEFAULT_LANE}"`)
    if (lanes.some((other) => other.name === lane.name)) invalid(`two lanes are named ${lane.name}`)
    if (!Number.isSafeInteger(lane.weight) || lane.weight < 1 || lane.weight > 1_000)
      invalid(`lane ${lane.name}: weight ${lane.weight} must be a whole number from 1 to 1000`)
    const types = lane.events.map(({ type }) => type)
    if (types.length === 0) invalid(`lane ${lane.name} has no events`)
    for (const type of types)
      if (!left.delete(type)) invalid(`lane ${lane.name}: ${type} is not in on.events, or in another lane too`)
    lanes.push({ name: lane.name, types, weight: lane.weight })
  }
  if (left.size > 0) lanes.push({ name: DEFAULT_LANE, types: [...left], weight: 1 })
  return lanes
}
