import { compileCel } from '../../cep/cel/compile-cel.js'
import { Slots } from '../../cep/cel/slots.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { parseTime } from '../../event/rfc3339.js'
import type { DeadLetter } from './dead-letter.js'
import { payloadOf } from './dead-letter.js'

/** What a condition may ask of a letter. */
const VARIABLES = [
  'number',
  'at',
  'code',
  'detail',
  'processor',
  'stream',
  'sequence',
  'attempts',
  'generation',
  'fingerprint',
  'type',
  'key',
  'id',
  'event',
]

/**
 * Compiles a condition over letters, in CEL: `code == "HANDLER_TIMEOUT" && event.data.amount > 100`. Times are ms since
 * the Unix epoch; `attempts` is their number. A letter for which it has no value is not meant.
 * @throws USAGE
 */
export function letterCondition(text: string): (letter: DeadLetter) => boolean {
  const compiled = compileCel(
    text,
    { variables: VARIABLES, stages: new Map(), slots: new Slots(), fieldProblem: () => undefined },
    'bool',
  )
  if (!compiled.ok) throw fault('USAGE', `--where: ${compiled.problems.map(({ detail }) => detail).join('; ')}`)
  const { evaluate } = compiled
  return (letter) => {
    try {
      // compiled conditions read the fields of what they are given by name
      return evaluate(fieldsOf(letter) as unknown as StoredEvent, [], letter.key ?? '') === true
    } catch (error) {
      if (isFault(error, 'EXPRESSION_FAILED')) return false
      throw error
    }
  }
}

function fieldsOf(letter: DeadLetter): Readonly<Record<string, unknown>> {
  const { number, at, code, detail, processor, stream, sequence, generation, type, key, id } = letter
  const payload = payloadOf(letter.data)
  const data = 'json' in payload ? payload.json : undefined
  const time = parseTime(letter.headers.find(([name]) => name.toLowerCase() === 'ce-time')?.[1] ?? '') ?? null
  return {
    number,
    at,
    code,
    detail,
    processor,
    stream,
    sequence,
    generation,
    attempts: letter.attempts.length,
    fingerprint: letter.fingerprint,
    type: type ?? null,
    key: key ?? null,
    id: id ?? null,
    event: { type: type ?? null, key: key ?? null, id: id ?? null, time, data: data ?? null },
  }
}
