import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rooms } from '../support/architecture.ts'
import { filesUnder, readText, TOP } from '../support/repository.ts'

const test = suite('the documents')

const ROOT = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md']
const documents = {
  ...filesUnder('docs', /\.md$/),
  ...Object.fromEntries(ROOT.map((path) => [path, readText(path)])),
}

/** Links of a document to files of this repository, from the top. */
function links(path: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => posix.join(posix.dirname(path), target))
}

const FOLDERS = /^(src|test|docs|streams|demo|bench|examples|\.ci|\.github)\//

/** Paths in code spans; `kernel/turn.ts` is one of src. Those with a placeholder or a wildcard name no one file. */
function mentions(text: string, rooms: Rooms): string[] {
  return [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/(?:[\w.-]+\.(?:ts|js|json|md|yml|yaml))?)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => FOLDERS.test(path) || rooms.ranks[path.split('/')[0] ?? ''] !== undefined)
    .map((path) => (FOLDERS.test(path) ? path : `src/${path}`))
}

test('every link between documents and every file they name is there', () => {
  const rooms = JSON.parse(readText('src/rooms.json')) as Rooms
  const missing = Object.entries(documents).flatMap(([path, text]) =>
    [...new Set([...links(path, text), ...mentions(text, rooms)])]
      .filter((target) => !existsSync(posix.join(TOP, target)))
      .map((target) => `${path}: ${target}`),
  )
  assert.equal(missing, [])
})

test('the rooms of docs/architecture.md are those of the table, with their ranks', () => {
  const { ranks } = JSON.parse(readText('src/rooms.json')) as Rooms
  const document = readText('docs/architecture.md')
  const rows = [...document.matchAll(/^\| (\d) \| `(\w+)` \|/gm)].map(([, rank, room]) => [room, Number(rank)])
  const planned = /^Ranks that are taken but not built yet: (.*)$/m.exec(document)?.[1] ?? ''
  const named = [...planned.matchAll(/`(\w+)`(?=[^()]*\((\d)\))/g)].map(([, room, rank]) => [room, Number(rank)])
  assert.equal(Object.fromEntries([...rows, ...named].sort()), Object.fromEntries(Object.entries(ranks).sort()))
  for (const [room] of rows) assert.ok(existsSync(posix.join(TOP, 'src', String(room))), `src/${room}`)
})

test('a planted broken link and a planted missing file are found', () => {
  const rooms = { ranks: { kernel: 2 } } as unknown as Rooms
  assert.equal(links('docs/a.md', 'see [b](b.md#part) and [c](../c.md), not [d](https://example.org)'), [
    'docs/b.md',
    'c.md',
  ])
  assert.equal(mentions('`kernel/no.ts`, `src/x/y.ts`, `streams/`, `payments/x.ts`, `src/<room>/a.ts`', rooms), [
    'src/kernel/no.ts',
    'src/x/y.ts',
    'streams/',
  ])
})

test.run()
