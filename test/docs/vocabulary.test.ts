import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesUnder, readText } from '../support/repository.ts'

const test = suite('docs/vocabulary.md')

/** Words of others for what we call otherwise. They stand in the vocabulary, and nowhere else. */
const FOREIGN = ['topic', 'channel', 'task', 'worker pool', 'workflow']

/** Terms of the first column, in order. */
function terms(document: string): string[] {
  return [...document.matchAll(/^\| \*\*([^*]+)\*\* \| \S/gm)].map(([, term = '']) => term)
}

/** Foreign words in a text, each with its line. A path or a name in code is not our word. */
function foreign(text: string): string[] {
  return text.split('\n').flatMap((line, at) => {
    const prose = line.replaceAll(/`[^`]*`|\]\([^)]*\)|\S*\/\S*/g, ' ')
    return FOREIGN.filter((word) => new RegExp(String.raw`(?<![\w-])${word}s?(?![\w-])`, 'i').test(prose)).map(
      (word) => `${at + 1}: ${word}`,
    )
  })
}

/** What a person reads of a source file: its strings. */
function strings(source: string): string {
  return source
    .split('\n')
    .map((line) => [...line.matchAll(/'((?:\\.|[^'\\])*)'/g)].map(([, text]) => text).join(' '))
    .join('\n')
}

test('each term is defined once', () => {
  const all = terms(readText('docs/vocabulary.md'))
  assert.ok(all.length > 50, `${all.length} terms`)
  assert.equal(
    all.filter((term, at) => all.indexOf(term) !== at),
    [],
  )
})

test('the words to avoid are the ones that the document names', () => {
  const last = readText('docs/vocabulary.md').trimEnd().split('\n').at(-1)
  assert.is(last, `Not ours at all: ${FOREIGN.join(', ')}.`)
})

test('no document, help text or error uses a word of others for what we call otherwise', () => {
  const documents = { ...filesUnder('docs', /\.md$/), 'README.md': readText('README.md') }
  const sources = { ...filesUnder('src/cli', /\.ts$/), ...filesUnder('src/error', /\.ts$/) }
  const texts = {
    ...documents,
    ...Object.fromEntries(Object.entries(sources).map(([path, text]) => [path, strings(text)])),
  }
  const found = Object.entries(texts)
    .filter(([path]) => path !== 'docs/vocabulary.md')
    .flatMap(([path, text]) => foreign(text).map((place) => `${path}:${place}`))
  assert.equal(found, [])
})

test('a planted word is found in prose and in a help text, and not in a path or a name', () => {
  assert.equal(foreign('one\nPublish to a Topic, then run tasks.'), ['2: topic', '2: task'])
  assert.equal(foreign('`topic` and .github/workflows/ci.yml, multitasking and sub-task'), [])
  assert.equal(foreign(strings("program.description('start a workflow')")), ['1: workflow'])
})

test.run()
