// What the stand-in for the model says: a function of the question, and of nothing that the question does not say.
import { createHash } from 'node:crypto'
import { modelAnswers, type ModelAnswer } from '../src/testing/model-server/model-answer.ts'
import type { ModelRequest } from '../src/testing/model-server/model-request.ts'

export interface Verdict {
  readonly verdict: 'fraud' | 'legitimate' | 'unclear'
  readonly reason: string
  readonly confidence: number
}

/** Below it, nobody is woken up. */
const SMALL = 120
/** From there on it is taken for what the rule says. */
const LARGE = 250

/** What is made of a suspicion, from the text of the question. */
export function verdictOf(question: string): Verdict {
  const [, pattern = 'unknown', severity = 'unknown'] = /^Pattern: ([\w-]+) \(severity (\w+)\)/.exec(question) ?? []
  const amount = Number(/^At stake: ([\d.]+)$/m.exec(question)?.[1] ?? 0)
  const about = `the pattern is ${pattern}, ${amount} at stake`
  const high = severity === 'high'
  if (amount < SMALL && !high) return { verdict: 'legitimate', reason: `${about}: so little`, confidence: 0.6 }
  if (amount < (high ? SMALL : LARGE))
    return { verdict: 'unclear', reason: `${about}: it may be both`, confidence: 0.5 }
  return { verdict: 'fraud', reason: about, confidence: high ? 0.9 : 0.7 }
}

/** One in so many questions meets each of the faults below when it is asked for the first time. */
const EVERY = 80

const FAULTS: readonly (() => ModelAnswer)[] = [
  () => modelAnswers.rateLimited('1'),
  () => modelAnswers.overloaded(),
  () => modelAnswers.cut(2),
  // no result: it is asked once more, with what was wrong
  () => modelAnswers.json({ verdict: 'perhaps' }),
]

/** What is asked, also where it is asked once more because an answer was no result. */
export function questionOf({ text, body }: Pick<ModelRequest, 'text' | 'body'>): string {
  const [first] = (body['messages'] ?? []) as readonly { readonly content?: unknown }[]
  const [block] = (Array.isArray(first?.content) ? first.content : []) as readonly { readonly text?: string }[]
  return block?.text ?? text
}

/** What a question meets: the same one meets the same, whoever asks it and when. */
export function answerTo(request: Pick<ModelRequest, 'text' | 'repeat' | 'body'>): ModelAnswer {
  const question = questionOf(request)
  const chance = Number.parseInt(createHash('sha256').update(question).digest('hex').slice(0, 8), 16)
  const first = request.repeat === 1 && question === request.text
  const fault = first ? FAULTS[chance % EVERY] : undefined
  return fault?.() ?? modelAnswers.json(verdictOf(question), { delay: 50 + (chance % 200), deltaEvery: 10 })
}
