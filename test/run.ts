// Runs test files in this process: run.ts [PATTERN] [--times]
// With --given it runs the files that test/all.js hands it, one after the other.
//
// uvu alone can be green while nothing ran (a hook that throws, a file without .run(), a pattern that matches no
// file, a leaked handle that hangs). Each of these ends this runner with a code of its own and says which it was:
//   1 a test failed, or a suite ran fewer tests than it has   2 nothing to run   3 something was left open   4 watchdog
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { after, afterFile } from './support/cleanup.ts'
import { failuresIn } from './support/failures.js'
import { leftOpen } from './support/left-open.ts'
import { processorTime } from './support/processor-time.js'
import { pathOf, testFiles } from './support/test-files.js'
import { sayTimes, watchTests, type TestTime } from './support/test-times.js'

/** What became of one file; times are in ms, `cpu` the processor’s for this process and all that the file began. */
export interface FileReport {
  readonly file: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** A line for each failed test: its name and what was wrong. */
  readonly failures: readonly string[]
  readonly ms: number
  readonly cpu: number
  readonly tests: readonly TestTime[]
}

type Outcome = [errors: string | true, ran: number, skipped: number, total: number]
type Suite = () => Promise<Outcome>
const queue = globalThis as unknown as { UVU_DEFER: number; UVU_INDEX: number; UVU_QUEUE: [string, ...Suite[]][] }

const given = process.argv.includes('--given')
const [pattern = '.'] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
/** For one file: the longest take two minutes on two cores, and more where others use them. */
const limit = Number(process.env['TEST_LIMIT_MS'] ?? 600_000)
const watched = process.argv.includes('--times') ? watchTests() : undefined

let atWork = 'the first file'
let ended = false
process.on('exit', (code) => {
  if (ended) return
  const why = code === 1 ? 'an error that nobody caught' : 'nothing was left to wait for, and a test had not ended'
  console.error(`${atWork}: ${why}`)
  process.exitCode = 1
})

function stop(code: number, why: string): never {
  ended = true
  console.error(why)
  process.exit(code)
}

queue.UVU_DEFER = 1 // uvu reads it when it is first imported
await import('uvu')
const reports: FileReport[] = []
let short = false

async function runFile(file: string): Promise<void> {
  atWork = file
  const watchdog = setTimeout(() => stop(4, `watchdog: ${file} took ${limit} ms`), limit).unref()
  const started = performance.now()
  const cpuBefore = watched === undefined ? 0 : processorTime()
  queue.UVU_INDEX = queue.UVU_QUEUE.push([file]) - 1
  await import(pathToFileURL(pathOf(file)).href)
  const suites = (queue.UVU_QUEUE[queue.UVU_INDEX] ?? []).slice(1) as Suite[]
  if (suites.length === 0) stop(2, `${file}: no .run() call, its tests would be skipped`)
  const totals = { passed: 0, failed: 0, skipped: 0 }
  const failures: string[] = []
  for (const suite of suites) {
    const [errors, ran, skipped, total] = await suite()
    totals.passed += ran
    totals.skipped += skipped
    // uvu counts a test whose hook threw as neither run nor failed
    totals.failed += total - ran
    if (errors !== true) {
      console.log(`\n${errors}`)
      failures.push(...failuresIn(errors))
    } else if (ran < total) {
      short = true
      failures.push(`${ran} of ${total} ran (a hook threw; uvu hides it)`)
      console.error(`${file}: ${failures.at(-1)}`)
    }
  }
  await afterFile().catch((error: unknown) => {
    totals.failed += 1
    failures.push(`what it opened does not close: ${String(error)}`)
    console.error(`${file}: ${failures.at(-1)}`)
  })
  clearTimeout(watchdog)
  const ms = performance.now() - started
  console.log(`${file}  ${totals.passed} passed, ${totals.failed} failed, ${(ms / 1_000).toFixed(1)} s`)
  const cpu = watched === undefined ? 0 : processorTime() - cpuBefore
  reports.push({ file, ...totals, failures, ms, cpu, tests: watched?.() ?? [] })
}

async function* filesFromParent(): AsyncGenerator<string> {
  for (;;) {
    const answer = once(process, 'message') as Promise<[{ readonly file?: string }]>
    process.send?.({ report: reports.at(-1) })
    const [{ file }] = await answer
    if (file === undefined) return process.disconnect()
    yield file
  }
}

for await (const file of given ? filesFromParent() : testFiles(pattern)) await runFile(file)
atWork = 'what was opened for all tests'
await after()
ended = true
const sum = (of: 'passed' | 'failed' | 'skipped'): number => reports.reduce((all, report) => all + report[of], 0)
if (!given) {
  if (reports.length === 0) stop(2, `no test file matches ${pattern}`)
  if (sum('passed') + sum('failed') === 0) stop(2, `no test ran in ${reports.map(({ file }) => file).join(', ')}`)
  if (watched !== undefined) sayTimes(reports)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
}
if (short || sum('failed') > 0) process.exitCode = 1
// a process that was killed takes its time to go, on a machine that is busy
const LEFT_OPEN_S = 30
setTimeout(
  () => stop(3, `left open ${LEFT_OPEN_S} s after the last test: ${leftOpen().join(', ')}`),
  LEFT_OPEN_S * 1_000,
).unref()
