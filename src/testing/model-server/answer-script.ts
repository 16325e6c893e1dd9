import { fault } from '../../error/millrace-error.js'
import { Seeded } from '../../time/seeded.js'
import { modelAnswers, type ModelAnswer } from './model-answer.js'
import type { ModelRequest } from './model-request.js'
import { standInValue } from './stand-in-value.js'

const FAULTS = {
  'rate-limited': () => modelAnswers.rateLimited('1'),
  overloaded: () => modelAnswers.overloaded(),
  'server-error': () => modelAnswers.error('api_error'),
  invalid: () => modelAnswers.error('invalid_request_error'),
  reset: () => modelAnswers.reset(),
  silent: () => modelAnswers.silent(),
  stalled: () => modelAnswers.stalled(),
  cut: () => modelAnswers.cut(),
  torn: () => modelAnswers.torn(),
  'failed-in-stream': () => modelAnswers.failing(),
  refusal: () => modelAnswers.refusal(),
  truncated: () => modelAnswers.truncated('{"this answer": "ends where its tokens'),
  'invalid-output': () => modelAnswers.json({ 'stand-in': 'what no schema expects' }),
} as const satisfies Record<string, () => ModelAnswer>

/** A kind of fault that a model server puts in by itself. */
export type ModelFault = keyof typeof FAULTS

/** What a server answers: one after the other, or as a function says; undefined, and behind the last: an answer of its own. */
export type ModelScript =
  readonly ModelAnswer[] | ((request: ModelRequest) => ModelAnswer | undefined | Promise<ModelAnswer | undefined>)

export interface ScriptOptions {
  readonly answers?: ModelScript
  /** How many of the requests meet which fault in place of their answer: `{ overloaded: 0.05 }`. Together at most 1. */
  readonly faults?: Readonly<Partial<Record<ModelFault, number>>>
  /** Which ones meet a fault follows from this, their body and how often it was sent before. Default ''. */
  readonly seed?: string
}

export interface ScriptedAnswer {
  readonly answer: ModelAnswer
  /** undefined: it is of the script. */
  readonly fault: ModelFault | undefined
}

/** What the next answer is. Which requests meet a fault does not depend on the order in which they come. */
export class AnswerScript {
  readonly #answers: ModelScript
  readonly #faults: readonly (readonly [ModelFault, number])[]
  readonly #seed: string
  #at = 0

  /** @throws TEST_INVALID */
  constructor({ answers = [], faults = {}, seed = '' }: ScriptOptions) {
    this.#answers = answers
    this.#faults = Object.entries(faults) as [ModelFault, number][]
    this.#seed = seed
    const sum = this.#faults.reduce((all, [, rate]) => all + rate, 0)
    const wrong = this.#faults.find(([name, rate]) => !Object.hasOwn(FAULTS, name) || !(rate >= 0 && rate <= 1))
    if (wrong !== undefined || sum > 1.000_001)
      throw fault(
        'TEST_INVALID',
        `startModelServer: faults ${JSON.stringify(faults)}: known names, from 0 to 1, together at most 1`,
      )
  }

  /** @param hash of its body */
  async answerTo(request: ModelRequest, hash: string): Promise<ScriptedAnswer> {
    let chance = this.#faults.length === 0 ? 1 : new Seeded(`${this.#seed} ${hash} ${request.repeat}`).random()
    for (const [name, rate] of this.#faults) {
      if (chance < rate) return { answer: FAULTS[name](), fault: name }
      chance -= rate
    }
    const script = this.#answers
    const scripted = typeof script === 'function' ? await script(request) : script[this.#at++]
    return { answer: scripted ?? ownAnswer(request), fault: undefined }
  }
}

/** What is said where no script says anything: what the schema asks for, or that it is a stand-in. */
function ownAnswer({ schema, model }: ModelRequest): ModelAnswer {
  if (schema !== undefined) return modelAnswers.json(standInValue(schema))
  return modelAnswers.text(`This is a stand-in for the Messages API. ${model} was not asked.`)
}
