// Reads the tables of docs/patterns.md whose first column is a pattern and runs each row.
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { EngineInput } from '../../../src/cep/engine/advance.ts'
import type { Executable } from '../../../src/cep/engine/executor.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import { pattern } from '../../../src/cep/pattern/pattern-builder.ts'
import { algebra, type AlgebraOptions, type Expression } from '../../../src/cep/tree/algebra.ts'
import { storedEvent } from '../stored-event.ts'

export interface Example {
  readonly line: number
  readonly code: string
  readonly stream: string
  /** Cells after the first, by their headings. */
  readonly cells: Readonly<Record<string, string>>
}

/** A table is one of these when its heading is `pattern` or `expression`, and its second names a stream: `` matches over `a1 b2` ``. */
export function readExamples(text: string): Example[] {
  const examples: Example[] = []
  let headings: readonly string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.startsWith('|')) {
      headings = []
      continue
    }
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (headings.length === 0) headings = cells
    else if (/^(pattern|expression)$/.test(headings[0] ?? '') && !/^-+$/.test(cells[0] ?? '')) {
      const stream = /`(.*)`/.exec(headings[1] ?? '')?.[1] ?? ''
      const code = (cells[0] ?? '').replaceAll('`', '')
      const names = headings.map((heading) => heading.replace(/ over `.*`/, ''))
      examples.push({
        line: index + 1,
        code,
        stream,
        cells: Object.fromEntries(names.map((n, i) => [n, cells[i] ?? ''])),
      })
    }
  }
  return examples
}

/** What a row finds: matches and timeouts as the document writes them. */
export function runExample({ code, stream }: Example): { matches: string; timeouts: string } {
  const engine = createEngine(executableOf(code))
  const advances = inputsOf(stream).map((input) => engine.advance(input))
  const late = advances.flatMap((advance) => advance.late).map(({ id }) => id)
  return {
    matches: textOf(advances.flatMap(({ matches }) => matches)) + (late.length > 0 ? `, late: ${late.join(' ')}` : ''),
    timeouts: textOf(advances.flatMap(({ timeouts }) => timeouts)),
  }
}

/** Events by type and number, one each second; `b2@9`: at 9 s; `(20s)`: time passes to there. Prices of `p5` are 5. */
function inputsOf(stream: string): EngineInput[] {
  let time = 0
  return stream.split(' ').map((word) => {
    const passes = /^\((\d+)s\)$/.exec(word)?.[1]
    if (passes !== undefined) return { kind: 'time', time: (time = Number(passes) * 1_000) }
    const [id = '', at] = word.split('@')
    time = at === undefined ? time + 1_000 : Number(at) * 1_000
    const [, type = '', number] = /^([a-z]+)(\d+)$/.exec(id) ?? []
    return { kind: 'event', key: 'k', event: storedEvent({ id, type, time, data: { price: Number(number) } }) }
  })
}

function textOf(all: readonly Found[]): string {
  return all.map(({ events }) => `{${events.map(({ id }) => id).join(' ')}}`).join(' ') || 'none'
}

function executableOf(code: string): Executable {
  if (code.startsWith('.')) {
    const whole = /\.(within|bounds)\(/.test(code) ? code : `${code}.within('1m')`
    return (evaluate(`pattern()${whole}.compile()`) as { executable: Executable }).executable
  }
  const options: AlgebraOptions = { forget: '1h', events: ['a', 'b', 'c', 'd'], bounds: { partialMatchesPerKey: 100 } }
  return algebra.compile(evaluate(code) as Expression<Record<never, never>>, options).executable
}

function evaluate(code: string): unknown {
  const { on } = algebra
  const names = { pattern, ...algebra, a: on('a', 'a'), b: on('b', 'b'), c: on('c', 'c'), d: on('d', 'd') }
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the document of this repository
  return new Function(...Object.keys(names), `return ${code}`)(...Object.values(names))
}
