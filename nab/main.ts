// npm run -s nab -- DIR [--json]
import { parseArgs } from 'node:util'
import { auto } from '../src/cep/detect/auto.ts'
import { CATALOGUE } from '../src/error/catalogue.ts'
import { EXIT } from '../src/error/exit-code.ts'
import { MillraceError } from '../src/error/millrace-error.ts'
import { readCorpus } from './read-corpus.ts'
import { scoreSeries } from './score-series.ts'
import { evaluate, PROFILES, type Profile } from './scoring.ts'
import { table } from './table.ts'

const USAGE = 'usage: npm run -s nab -- DIR [--json]     DIR has data/**.csv and labels/combined_windows.json'

function main(): void {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } })
  const [directory] = positionals
  if (directory === undefined || positionals.length > 1) {
    console.error(USAGE)
    process.exitCode = EXIT.usage
    return
  }
  const plan = auto()
  const files = readCorpus(directory).map((series) => ({ ...series, scores: scoreSeries(plan, series.rows) }))
  const results = Object.fromEntries(
    (Object.keys(PROFILES) as Profile[]).map((profile) => [profile, evaluate(files, profile)]),
  ) as Record<Profile, ReturnType<typeof evaluate>>
  if (values.json) {
    const scores = Object.entries(results).map(([profile, result]) => [profile, Number(result.score.toFixed(4))])
    console.log(JSON.stringify(Object.fromEntries(scores)))
  } else console.log(table(files, results))
}

try {
  main()
} catch (error) {
  if (error instanceof MillraceError) {
    console.error(`${error.message}\n${CATALOGUE[error.code].advice}`)
    process.exitCode = error.exit
  } else if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    console.error(`${error.message}\n${USAGE}`)
    process.exitCode = EXIT.usage
  } else throw error
}
