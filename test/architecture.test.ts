// The house holds itself to its rules: src/rooms.json has the table, test/support/architecture.ts the checks.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkArchitecture, type Breach, type Rooms } from './support/architecture.ts'
import { filesUnder, readText, TOP } from './support/repository.ts'
import { codeOnly, moduleUses } from './support/source-text.ts'

const test = suite('the architecture')
const rooms = JSON.parse(readText('src/rooms.json')) as Rooms

function repository(): Record<string, string> {
  const folders = ['src', 'test', 'streams', 'demo', 'bench', 'examples']
  return Object.assign({}, ...folders.map((folder) => filesUnder(folder, /^(?!test\/fixtures\/).*\.(ts|js)$/)))
}

/** The breaches of planted files, as `file: reason`. */
function planted(files: Record<string, string>): string[] {
  return report(checkArchitecture(files, { ...rooms, exceptions: [] }))
}

function report(breaches: readonly Breach[]): string[] {
  return breaches.map(({ file, reason }) => `${file}: ${reason}`)
}

/** What oxlint says about functions of more than 50 lines under `folder`. */
function longFunctions(folder: string): string[] {
  const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin/oxlint')
  const rule = ['-A', 'all', '-D', 'eslint/max-lines-per-function']
  try {
    execFileSync(process.execPath, [oxlint, ...rule, '--format', 'unix', folder], { encoding: 'utf8', stdio: 'pipe' })
    return []
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    if (!stdout?.includes('max-lines-per-function')) throw error
    return stdout.split('\n').filter((line) => line.includes('max-lines-per-function'))
  }
}

test('every file of the repository keeps the rules', () => {
  const files = repository()
  assert.ok(Object.keys(files).length > 100, 'the files were found')
  assert.equal(report(checkArchitecture(files, rooms)), [])
})

test('every exception of the table names a file', () => {
  const files = repository()
  for (const { file, why } of rooms.exceptions) assert.ok(Object.hasOwn(files, `src/${file}`) && why.length > 0, file)
})

test('no function of src is longer than 50 lines', () => {
  assert.equal(longFunctions(join(TOP, 'src')), [])
})

test('a planted long function is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-long-'))
  try {
    writeFileSync(join(folder, 'long.ts'), `export function long(): void {\n${'  JSON.parse("1")\n'.repeat(50)}}\n`)
    const found = longFunctions(folder)
    assert.is(found.length, 1)
    assert.match(found[0] ?? '', /long\.ts:1:.*`long`.*52/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a planted import upwards is reported with its file, line and ranks', () => {
  assert.equal(
    planted({
      'src/broker/a.ts': "// first\nimport type { B } from '../kernel/b.js'\nexport type A = B\n",
      'src/kernel/b.ts': 'export type B = 1\n',
    }),
    ['src/broker/a.ts: line 2 imports ../kernel/b.js: broker (rank 1) may not import kernel (rank 2)'],
  )
})

test('rooms of one rank do not import each other, but event and time import error, and event imports time', () => {
  const none = 'export const x = 1\n'
  assert.equal(
    planted({
      'src/error/e.ts': none,
      'src/time/t.ts': "import { x } from '../error/e.js'\nexport const y = x\n",
      'src/event/v.ts': "import { y } from '../time/t.js'\nimport { x } from '../error/e.js'\nexport const z = x + y\n",
    }),
    [],
  )
  for (const [room, other] of [
    ['time', 'event'],
    ['error', 'time'],
    ['cep', 'broker'],
    ['pipeline', 'actor'],
  ] as const) {
    const found = planted({ [`src/${room}/a.ts`]: `import '../${other}/b.js'\n`, [`src/${other}/b.ts`]: none })
    assert.is(found.length, 1, `${room} → ${other}`)
    assert.match(found[0] ?? '', `${room} (rank`)
  }
})

test('the door shows no room above its rank, and nothing imports the door', () => {
  const found = planted({
    'src/index.ts': "export { a } from './cli/a.js'\nexport { b } from './runtime/b.js'\n",
    'src/cli/a.ts': 'export const a = 1\n',
    'src/runtime/b.ts': "import { a } from '../index.js'\nexport const b = a\n",
    'src/stray.ts': 'export const c = 1\n',
  })
  assert.equal(found, [
    'src/index.ts: line 1 imports ./cli/a.js: cli (rank 6) is above what this door shows (5)',
    'src/runtime/b.ts: line 1 imports ../index.js: nothing in src imports a door',
    'src/stray.ts: only doors are at the top of src',
    'src/index.ts: an import cycle: src/index.ts → src/runtime/b.ts → src/index.ts',
  ])
})

test('a vendor outside its room is reported, and so is one that the table does not know', () => {
  assert.equal(
    planted({
      'src/kernel/a.ts': "import { connect } from '@nats-io/transport-node'\nexport const a = connect\n",
      'src/cep/b.ts': "import { map } from 'rxjs/operators'\nexport const b = map\n",
      'src/cli/c.ts': "const { x } = await import('left-pad')\nexport const c = x\n",
      'src/event/d.ts': "import { readFile } from 'node:fs/promises'\nexport const d = readFile\n",
    }),
    [
      'src/kernel/a.ts: line 1 imports @nats-io/transport-node: @nats-io/transport-node belongs to broker',
      'src/cep/b.ts: line 1 imports rxjs/operators: rxjs belongs to time, pipeline, testing',
      'src/cli/c.ts: line 1 imports left-pad: src/rooms.json does not say which room may import left-pad',
      'src/event/d.ts: line 1 imports node:fs/promises: node:fs/promises belongs to broker, edge, runtime, cli',
    ],
  )
})

test('time, chance, process and console outside their rooms are reported, in comments and strings they are not', () => {
  assert.equal(
    planted({
      'src/kernel/a.ts': 'export const a = () => Date.now() + Math.random()\n',
      'src/cep/b.ts': 'export const b = () => setTimeout(() => console.log(new Date()), 1)\n',
      'src/event/c.ts':
        '// Date.now()\nexport const c = "setTimeout(1)" + `process.env ${"console.log"} Math.random()`\n',
      'src/event/d.ts': 'export const d = (clock: { setTimeout: 1; process: 2 }) => new Date(clock.process)\n',
      'src/runtime/e.ts': 'export const e = `cwd ${process.cwd()}`\n',
    }).map((text) => text.replace(/, which.*/, '')),
    [
      'src/kernel/a.ts: line 1 uses Date.now',
      'src/kernel/a.ts: line 1 uses Math.random',
      'src/cep/b.ts: line 1 uses console',
      'src/cep/b.ts: line 1 uses new Date()',
      'src/cep/b.ts: line 1 uses setTimeout',
      'src/runtime/e.ts: line 1 uses process',
    ],
  )
})

test('an exception that is not needed any more is reported', () => {
  const exceptions = [{ file: 'broker/a.ts', globals: ['process'], why: 'once' }]
  assert.equal(report(checkArchitecture({ 'src/broker/a.ts': 'export const a = 1\n' }, { ...rooms, exceptions })), [
    'src/broker/a.ts: its exception for process is not needed any more',
  ])
})

test('a planted over-long file is reported, one at the limit is not', () => {
  const lines = (count: number): string => 'export {}\n'.repeat(count)
  assert.equal(
    planted({
      'src/cep/long.ts': lines(251),
      'src/cep/full.ts': lines(250),
      'test/cep/long.test.ts': lines(301),
      'test/cep/full.test.ts': lines(300),
    }),
    ['src/cep/long.ts: 251 lines, the limit is 250', 'test/cep/long.test.ts: 301 lines, the limit is 300'],
  )
})

test('a planted cycle is reported; one of types only, or through import(), is not', () => {
  const cycle = (form: string): string[] =>
    planted({
      'src/cep/a.ts': "import { b } from './b.js'\nexport const a = b\n",
      'src/cep/b.ts': "import { c } from './c.js'\nexport const b = c\n",
      'src/cep/c.ts': form,
    })
  assert.equal(cycle("import { a } from './a.js'\nexport const c = a\n"), [
    'src/cep/a.ts: an import cycle: src/cep/a.ts → src/cep/b.ts → src/cep/c.ts → src/cep/a.ts',
  ])
  assert.equal(cycle("import type { a } from './a.js'\nexport type C = typeof a\n"), [])
  assert.equal(cycle("export const c = () => import('./a.js')\n"), [])
  // Node loads the file even when every name imported from it is a type
  assert.is(cycle("import { type a } from './a.js'\nexport type C = typeof a\n").length, 1)
})

test('barrels, default exports, empty names and other spellings are reported', () => {
  assert.equal(
    planted({
      'src/cep/index.ts': "export { a } from './a.js'\n",
      'src/cep/a.ts': 'export const a = 1\nexport default a\n',
      'src/cep/types.ts': 'export type T = 1\n',
      'src/cep/utils/text.ts': 'export const t = 1\n',
      'src/cep/OddName.ts': 'export const o = 1\n',
      'src/other/thing.ts': 'export const o = 1\n',
    }),
    [
      'src/cep/index.ts: a barrel: rooms import each other’s files',
      'src/cep/types.ts: types says nothing: name the idea',
      'src/cep/utils/text.ts: utils says nothing: name the idea',
      'src/cep/OddName.ts: OddName is not kebab-case',
      'src/cep/index.ts: line 1 re-exports ./a.js: only doors do',
      'src/cep/a.ts: a default export',
      'src/other/thing.ts: other is no room: src/rooms.json gives each room its rank',
    ],
  )
})

test('declarations import the package by its name, their own folder, and their neighbours’ events only', () => {
  const good =
    "import { map } from 'rxjs'\nimport { definePipeline } from 'millrace'\nimport { A } from '../events.js'\n"
  const neighbour = "import { B } from '../../support/events.js'\n"
  assert.equal(planted({ 'streams/payments/pipelines/a.ts': good + neighbour }), [])
  for (const bad of ['../../../src/index.js', '../../support/pipelines/b.js', 'millrace/src/x.js', 'node:fs', 'pino']) {
    const found = planted({ 'streams/payments/pipelines/a.ts': `import { x } from '${bad}'\n` })
    assert.match(found.join(), `streams/payments/pipelines/a.ts: line 1 imports ${bad}: declarations know`)
  }
})

test('the reader of source text is not misled by comments, strings, templates and regular expressions', () => {
  const text = [
    "import a, { b } from './one.js' // import c from './no.js'",
    "import * as d from './two.js'",
    "/* import './no.js' */ import './three.js'",
    "const pattern = /import '.\\/no.js'[/'\"`]/g, ratio = a / b / 2, quote = '\\'import \"./no.js\"'",
    "const text = `import './no.js' ${await import('./four.js')} ${`${{ a: '}' }.a}`} import './no.js'`",
    "export {\n  e,\n} from './five.js'",
    "export type { F } from './six.js'",
  ].join('\n')
  assert.equal(
    moduleUses(text, codeOnly(text)).map(({ specifier, atLoad, line }) => [specifier, atLoad, line]),
    [
      ['./one.js', true, 1],
      ['./two.js', true, 2],
      ['./three.js', true, 3],
      ['./four.js', false, 5],
      ['./five.js', true, 8],
      ['./six.js', false, 9],
    ],
  )
})

test.run()
