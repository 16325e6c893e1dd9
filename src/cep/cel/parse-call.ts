import { messageOf } from '../../error/millrace-error.js'
import { environmentFor, type CelProblem } from './environment.js'

/** One argument of a call: its text, where it begins, and its value when it is a constant. */
export interface CallArgument {
  readonly text: string
  readonly at: number
  readonly constant: unknown
}

export type ParsedCall =
  | { readonly ok: true; readonly name: string; readonly args: readonly CallArgument[] }
  | { readonly ok: false; readonly problem: CelProblem }

/** Takes `name(first, second)` apart; its arguments are expressions. */
export function parseCall(text: string): ParsedCall {
  try {
    const { ast } = environmentFor([]).parse(text)
    if (ast.op !== 'call') return { ok: false, problem: { at: ast.start, detail: 'write it as name(…)' } }
    const [name, nodes] = ast.args
    const args = nodes.map(({ start, end, op, args: value }) => ({
      text: text.slice(start, end),
      at: start,
      constant: op !== 'value' ? undefined : typeof value === 'bigint' ? Number(value) : (value as unknown),
    }))
    return { ok: true, name, args }
  } catch (error) {
    const { summary, range } = error as { summary?: string; range?: { start: number } }
    return { ok: false, problem: { at: range?.start ?? 0, detail: summary ?? messageOf(error) } }
  }
}
