// Checks docs/guarantees.md, purely: a promise stands beside the test that tries to break it, and that test exists.

/** A section of the document: its heading and the tests it names. */
export interface Promised {
  readonly heading: string
  readonly tests: readonly { readonly file: string; readonly name: string }[]
  readonly untested: boolean
  readonly limits: boolean
}

export function readGuarantees(document: string): Promised[] {
  return document
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const text = part.split(/^## /m)[0] ?? ''
      const tests = [...text.matchAll(/^- `(test\/[^`]+)` › (.+)$/gm)]
      return {
        heading: text.split('\n')[0] ?? '',
        tests: tests.map(([, file = '', name = '']) => ({ file, name })),
        untested: /^- No test yet\.$/m.test(text),
        limits: /^Limits: /m.test(text),
      }
    })
}

/** Names of the tests in a file, as they are written in it; `…` stands for what a template puts in. */
export function testNames(source: string): string[] {
  return [...source.matchAll(/^\s*test(?:\.\w+)?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gm)].map(([, , name = '']) =>
    name.replaceAll(/\\(.)/g, '$1').replaceAll(/\$\{[^}]*\}/g, '…'),
  )
}

/** Numbers of the invariants that a source file opens with: `//   C1  …`. */
export function invariantsOf(source: string): string[] {
  return [...source.matchAll(/^\/\/ {3}([A-Z]{1,3}\d+) {2}\S/gm)].map(([, id = '']) => id)
}

/** The invariants that a test cites: the numbers its name begins with. */
function cited(name: string): string[] {
  return /^((?:[A-Z]{1,3}\d+ )+)/.exec(name)?.[1]?.trim().split(' ') ?? []
}

/**
 * What is wrong with the document.
 * @param sources text of the files of src, by path
 * @param tests text of the test files, by path
 */
export function checkGuarantees(
  document: string,
  sources: Readonly<Record<string, string>>,
  tests: Readonly<Record<string, string>>,
): string[] {
  const promises = readGuarantees(document)
  const names = new Map(Object.entries(tests).map(([file, text]) => [file, testNames(text)]))
  const wrong = promises.flatMap(({ heading, tests: named, untested, limits }) => [
    ...(named.length === 0 && !untested ? [`${heading}: no test and no word about it`] : []),
    ...(named.length > 0 && untested ? [`${heading}: it has a test and says that it has none`] : []),
    ...(limits ? [] : [`${heading}: no limits`]),
    ...named
      .filter(({ file, name }) => !names.get(file)?.includes(name))
      .map(({ file, name }) => `${heading}: ${file} has no test "${name}"`),
  ])
  const byId = (id: string): Promised | undefined => promises.find(({ heading }) => heading.startsWith(`${id} `))
  for (const [file, text] of Object.entries(sources))
    for (const id of invariantsOf(text))
      if (byId(id) === undefined) wrong.push(`${id} of ${file} is not in the document`)
  for (const [file, all] of names)
    for (const name of all)
      for (const id of cited(name)) {
        const promise = byId(id)
        if (promise === undefined) wrong.push(`${file} "${name}" cites ${id}, which is not in the document`)
        else if (!promise.tests.some((test) => test.file === file && test.name === name))
          wrong.push(`${promise.heading}: ${file} "${name}" cites it and is not named`)
      }
  return wrong
}

/**
 * The document with the lists of tests brought up to date: those that cite a promise are added, those that are gone are
 * taken out. What it says in prose stays as it is; whether that is still true is for a person to read.
 */
export function updateGuarantees(document: string, tests: Readonly<Record<string, string>>): string {
  const names = new Map(Object.entries(tests).map(([file, text]) => [file, testNames(text)]))
  return document.replaceAll(/^### (?:(?!^##)[\s\S])*/gm, (section) => {
    const promise = readGuarantees(section)[0]
    const id = /^### ([A-Z]{1,3}\d+) /.exec(section)?.[1]
    if (promise === undefined || id === undefined) return section
    const kept = promise.tests.filter(({ file, name }) => names.get(file)?.includes(name))
    const citing = [...names].flatMap(([file, all]) =>
      all.filter((name) => cited(name).includes(id)).map((name) => ({ file, name })),
    )
    const added = citing.filter(({ file, name }) => !kept.some((test) => test.file === file && test.name === name))
    const lines = [...kept, ...added].map(({ file, name }) => `- \`${file}\` › ${name}\n`)
    const list = lines.length === 0 ? '- No test yet.\n' : lines.join('')
    let written = false
    return section.replaceAll(/(?:^- (?:`test\/[^`]+` › .+|No test yet\.)\n)+/gm, () => {
      const text = written ? '' : list
      written = true
      return text
    })
  })
}
