// Runs one shard of the test files in this process: run.ts [pattern] [i/n]
//
// uvu alone can be green while nothing ran (a hook that throws, a file without .run(), a pattern that matches no
// file, a leaked handle that hangs). Each of these ends this runner with a code of its own and says which it was:
//   1 a test failed, or a suite ran fewer tests than it has   2 nothing to run   3 something was left open   4 watchdog
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { after } from './support/cleanup.ts'

type Outcome = [errors: string | true, ran: number, skipped: number, total: number]
type Suite = () => Promise<Outcome>
const queue = globalThis as unknown as { UVU_DEFER: number; UVU_INDEX: number; UVU_QUEUE: [string, ...Suite[]][] }

const root = fileURLToPath(new URL('.', import.meta.url))
const [pattern = '.', shard = '1/1'] = process.argv.slice(2)
const [index = 1, count = 1] = shard.split('/').map(Number)
const limit = Number(process.env['TEST_LIMIT_MS'] ?? 600_000)

function stop(code: number, why: string): never {
  console.error(why)
  process.exit(code)
}

setTimeout(() => stop(4, `watchdog: ${limit} ms passed`), limit).unref()
queue.UVU_DEFER = 1 // uvu reads it when it is first imported
const uvu = (await import('uvu')) as unknown as { exec(bail?: boolean): Promise<void> }

const wanted = new RegExp(pattern, 'i')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && wanted.test(file))
  .sort()
  .filter((_, position) => position % count === index - 1)
if (files.length === 0) stop(2, `no test file matches ${pattern} in shard ${shard}`)

const totals = { passed: 0, failed: 0, skipped: 0 }
const short: string[] = []
for (const [position, file] of files.entries()) {
  queue.UVU_INDEX = position
  queue.UVU_QUEUE.push([file])
  await import(pathToFileURL(join(root, file)).href)
  const group = queue.UVU_QUEUE[position]
  if (group === undefined || group.length < 2) stop(2, `${file}: no .run() call, its tests would be skipped`)
  for (let at = 1; at < group.length; at++) {
    const suite = group[at] as Suite
    group[at] = async () => {
      const started = performance.now()
      const outcome = await suite()
      const [errors, ran, skipped, total] = outcome
      totals.passed += ran
      totals.skipped += skipped
      // uvu counts a test whose hook threw as neither run nor failed
      totals.failed += total - ran
      if (errors === true && ran < total) short.push(`${file}: ${ran} of ${total} ran (a hook threw; uvu hides it)`)
      if (process.env['TEST_TIMES']) console.error(`${Math.round(performance.now() - started)} ms ${file}`)
      return outcome
    }
  }
}
await uvu.exec()
await after()
console.log(`shard ${shard}: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
if (short.length > 0) stop(1, short.join('\n'))
if (totals.passed + totals.failed === 0) stop(2, `no test ran in ${files.map((f) => relative('.', f)).join(', ')}`)
setTimeout(
  () => stop(3, `left open 1 s after the last test: ${process.getActiveResourcesInfo().join(', ')}`),
  1_000,
).unref()
