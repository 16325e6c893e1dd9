// npm run -s conformance -- [--flink-compatible] [--snapshots] [--json] FILE…
import { parseArgs } from 'node:util'
import { messageOf } from '../src/error/millrace-error.ts'
import { readCases, UnreadableCases } from './read-cases.ts'
import { runCases, type Result } from './run-cases.ts'

const USAGE = 'usage: npm run -s conformance -- [--flink-compatible] [--snapshots] [--json] FILE…'

process.exitCode = await main()

async function main(): Promise<number> {
  let given: ReturnType<typeof read>
  try {
    given = read()
  } catch (error) {
    console.error(`USAGE: ${messageOf(error)}\n${USAGE}`)
    return 2
  }
  const { values, positionals } = given
  if (positionals.length === 0) {
    console.error(`USAGE: no file is named\n${USAGE}`)
    return 2
  }
  const results: Result[] = []
  for (const path of positionals) {
    try {
      const cases = await readCases(path)
      results.push(...runCases(cases, { flinkCompatible: values['flink-compatible'], snapshots: values.snapshots }))
    } catch (error) {
      if (!(error instanceof UnreadableCases)) throw error
      console.error(`${error.code}: ${error.message}`)
      return 2
    }
  }
  return report(results, values.json)
}

function read() {
  return parseArgs({
    allowPositionals: true,
    options: {
      'flink-compatible': { type: 'boolean', default: false },
      snapshots: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
}

function report(results: readonly Result[], json: boolean): number {
  const count = (verdict: Result['verdict']) => results.filter((result) => result.verdict === verdict).length
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')]
  const failures = results.filter(({ verdict }) => verdict === 'failed')
  if (json) console.log(JSON.stringify({ passed, failed, skipped, failures }))
  else for (const { id, wrong } of failures) console.log(`FAIL ${id}\n${wrong.map((line) => `  ${line}`).join('\n')}`)
  if (skipped > 0 && !json) console.log(`${skipped} skipped: quirks of Flink, which --flink-compatible turns on`)
  const surplus = results.filter((result) => result.surplus === true).length
  if (surplus > 0 && !json)
    console.log(`${surplus} passed with equal matches more often than listed: trees that multiply (test/fixtures/cep)`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}
