import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOutput, wantsColor, type Output, type Sink } from '../../src/cli/output.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { issueLine, printError } from '../../src/cli/print-error.ts'
import { bytes, count, printTable, width } from '../../src/cli/table.ts'
import { fault } from '../../src/error/millrace-error.ts'
import { systemClock } from '../../src/time/system-clock.ts'

const test = suite('cli: output')

interface Fake {
  readonly output: Output
  text(): string
  fail(code: string): void
}

function fake(options: { tty?: boolean; color?: boolean; columns?: number; onGone?: () => void } = {}): Fake {
  let text = ''
  let onError: (error: NodeJS.ErrnoException) => void = () => undefined
  const sink: Sink = {
    isTTY: options.tty === true,
    columns: options.columns ?? 80,
    write: (part) => {
      text += part
      return true
    },
    once: () => undefined,
    off: () => undefined,
    on: (_, listener) => {
      onError = listener
    },
  }
  return {
    output: createOutput(sink, options.color === true, options.onGone ?? (() => undefined)),
    text: () => text,
    fail: (code) => onError(Object.assign(new Error(code), { code })),
  }
}

test('colour is for terminals; NO_COLOR, TERM=dumb and --no-color turn it off, FORCE_COLOR on', () => {
  const tty = { isTTY: true } as Sink
  const pipe = { isTTY: false } as Sink
  assert.is(wantsColor(tty, {}, true), true)
  assert.is(wantsColor(pipe, {}, true), false)
  assert.is(wantsColor(tty, { NO_COLOR: '1' }, true), false)
  assert.is(wantsColor(tty, { NO_COLOR: '' }, true), true)
  assert.is(wantsColor(tty, { TERM: 'dumb' }, true), false)
  assert.is(wantsColor(tty, {}, false), false)
  assert.is(wantsColor(pipe, { FORCE_COLOR: '1' }, true), true)
  assert.is(wantsColor(tty, { FORCE_COLOR: '0' }, true), false)
})

test('a reader that went away is told once, and nothing more is written', () => {
  let gone = 0
  const { output, text, fail } = fake({ onGone: () => (gone += 1) })
  output.line('one')
  fail('EPIPE')
  fail('EPIPE')
  output.line('two')
  assert.is(text(), 'one\n')
  assert.is(gone, 1)
})

test('tables align columns by what a terminal shows, and cut the flexible one to its width', () => {
  const columns = [
    { title: 'NAME', value: (row: readonly string[]) => row[0] ?? '' },
    { title: 'N', align: 'right' as const, value: (row: readonly string[]) => row[1] ?? '' },
    { title: 'WHAT', flexible: true, value: (row: readonly string[]) => row[2] ?? '' },
  ]
  const rows = [
    ['日本', '7', 'short'],
    ['a', '1,000', 'a detail that is much longer than the terminal\nis wide'],
  ]
  const { output, text } = fake({ tty: true, columns: 30 })
  printTable(output, columns, rows)
  assert.equal(text().split('\n'), ['NAME      N  WHAT', '日本      7  short', 'a     1,000  a detail that is…', ''])
})

test('control characters of stored data do not reach the terminal', () => {
  const { output, text } = fake()
  printTable(output, [{ title: 'T', value: () => 'a\u001b]0;evil\u0007b' }], [1])
  assert.is(text(), 'T\na\ufffd]0;evil\ufffdb\n')
})

test('numbers and bytes are written for people', () => {
  assert.is(count(1_234_567), '1,234,567')
  assert.equal([bytes(812), bytes(3_400_000), bytes(1_048_576)], ['812 B', '3.4 MB', '1.0 MB'])
  assert.equal([width('abc'), width('é'), width('e\u0301'), width('日本'), width('😀')], [3, 1, 1, 4, 2])
})

test('an error is its code, meaning, detail, places and advice', () => {
  const { output, text } = fake()
  const issues = [
    { file: 'r.yaml', line: 3, column: 7, detail: 'no such field' },
    { pointer: '/amount', detail: 'too small' },
  ]
  printError(output, fault('RULE_INVALID', 'r.yaml', { issues }))
  assert.is(
    text(),
    `error RULE_INVALID: a rule file has mistakes
  r.yaml
  r.yaml:3:7: no such field
  /amount: too small
what to do: ${fault('RULE_INVALID', '').advice}
`,
  )
  assert.is(issueLine({ file: 'x', pointer: '/a', detail: 'd' }), 'x /a: d')
})

test('progress draws on terminals only, and leaves nothing behind; --json has none', () => {
  let now = 0
  const clock = { ...systemClock, monotonic: () => now }
  const tty = fake({ tty: true })
  const progress = createProgress({ err: tty.output, clock, json: false }, { label: 'publishing', unit: 'events' })
  progress.update(0, 0)
  now = 1_000
  progress.update(5_000, 0.5)
  assert.match(tty.text(), /publishing {2}█{10}░{10} {2}50% {2}5,000 events {2}5,000\/s {2}1\.0s left/)
  progress.end()
  assert.ok(tty.text().endsWith('\r\u001b[2K'))
  const pipe = fake()
  now = 0
  const lines = createProgress({ err: pipe.output, clock, json: false }, { label: 'publishing', unit: 'events' })
  for (now = 0; now <= 5_000; now += 500) lines.update(now, undefined)
  assert.is(pipe.text(), 'publishing  2,000 events  1,000/s\npublishing  4,000 events  1,000/s\n')
  const none = fake({ tty: true })
  const silent = createProgress({ err: none.output, clock, json: true }, { label: 'x', unit: 'y' })
  now += 10_000
  silent.update(1)
  assert.is(none.text(), '')
})

test.run()
