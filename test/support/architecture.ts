// The rules of the house as a pure function: from the text of every file and the table in src/rooms.json to what is
// wrong with them. test/architecture.test.ts runs it over the repository and over planted mistakes.
import { posix } from 'node:path'
import { codeOnly, moduleUses, type ModuleUse } from './source-text.ts'

/** src/rooms.json. */
export interface Rooms {
  /** A room may import rooms of lower rank. */
  readonly ranks: Readonly<Record<string, number>>
  /** Rooms of its own rank that a room may import all the same. */
  readonly sameRank: Readonly<Record<string, readonly string[]>>
  /** Files at the top of src, and the highest rank that each may import. */
  readonly doors: Readonly<Record<string, number>>
  /** Which rooms may import a package or a module of Node; `*` is every room. */
  readonly packages: Readonly<Record<string, readonly string[]>>
  /** Which rooms may use a global. */
  readonly globals: Readonly<Record<string, readonly string[]>>
  /** Files that may use a global that their room may not, each with its reason. */
  readonly exceptions: readonly { readonly file: string; readonly globals: readonly string[]; readonly why: string }[]
  readonly names: { readonly forbidden: readonly string[] }
  /** Longest file by top-level folder. */
  readonly lines: Readonly<Record<string, number>>
  /** What declarations (streams/, examples/) may import beside each other. */
  readonly declarations: { readonly packages: readonly string[] }
}

/** One place where a rule is broken. */
export interface Breach {
  readonly file: string
  readonly reason: string
}

interface Source {
  /** Path from the top of the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly code: string
  readonly uses: readonly ModuleUse[]
}

type Files = Readonly<Record<string, string>>

/** Every breach of the rules in `files` (path from the top of the repository → text). */
export function checkArchitecture(files: Files, rooms: Rooms): Breach[] {
  const sources = Object.entries(files).map(([path, text]): Source => {
    const code = codeOnly(text)
    return { path, text, code, uses: moduleUses(text, code) }
  })
  const src = sources.filter(({ path }) => path.startsWith('src/'))
  return [
    ...sources.flatMap((source) => [...checkLines(source, rooms), ...checkName(source, rooms)]),
    ...src.flatMap((source) => [...checkImports(source, files, rooms), ...checkForm(source)]),
    ...src.flatMap((source) => checkGlobals(source, rooms)),
    ...checkExceptions(src, rooms),
    ...checkCycles(src, files),
    ...sources.flatMap((source) => checkDeclaration(source, rooms)),
  ]
}

function checkLines({ path, text }: Source, rooms: Rooms): Breach[] {
  const limit = rooms.lines[path.split('/')[0] ?? '']
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return limit === undefined || lines <= limit ? [] : [{ file: path, reason: `${lines} lines, the limit is ${limit}` }]
}

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/

function checkName({ path }: Source, rooms: Rooms): Breach[] {
  const breaches: Breach[] = []
  const parts = path.replace(/(\.[a-z]+)*$/, '').split('/')
  for (const part of parts) if (!KEBAB.test(part)) breaches.push({ file: path, reason: `${part} is not kebab-case` })
  if (!path.startsWith('src/')) return breaches
  for (const part of parts)
    if (rooms.names.forbidden.includes(part))
      breaches.push({ file: path, reason: `${part} says nothing: name the idea` })
  if (parts.length > 2 && parts.at(-1) === 'index')
    breaches.push({ file: path, reason: 'a barrel: rooms import each other’s files' })
  return breaches
}

/** The file that a relative import names, as a path of the repository; undefined when there is none. */
function target(from: string, specifier: string, files: Files): string | undefined {
  const path = posix.join(posix.dirname(from), specifier)
  return [path, path.replace(/\.js$/, '.ts')].find((candidate) => Object.hasOwn(files, candidate))
}

/** The room of a file of src; undefined for the doors. */
function roomOf(path: string): string | undefined {
  const [, room, rest] = path.split('/')
  return rest === undefined ? undefined : room
}

function checkImports({ path, uses }: Source, files: Files, rooms: Rooms): Breach[] {
  const room = roomOf(path)
  const breach = (use: ModuleUse, why: string): Breach => ({
    file: path,
    reason: `line ${use.line} imports ${use.specifier}: ${why}`,
  })
  if (room !== undefined && rooms.ranks[room] === undefined)
    return [{ file: path, reason: `${room} is no room: src/rooms.json gives each room its rank` }]
  if (room === undefined && rooms.doors[posix.basename(path)] === undefined && !path.endsWith('.json'))
    return [{ file: path, reason: 'only doors are at the top of src' }]
  return uses.flatMap((use) => {
    const { specifier } = use
    if (!specifier.startsWith('.')) {
      const why = packageBreach(room, specifier, rooms)
      return why === undefined ? [] : [breach(use, why)]
    }
    const imported = target(path, specifier, files)
    if (imported === undefined) return [breach(use, 'there is no such file')]
    if (!imported.startsWith('src/')) return [breach(use, 'src imports nothing outside src')]
    const other = roomOf(imported)
    if (other === undefined) return imported.endsWith('.json') ? [] : [breach(use, 'nothing in src imports a door')]
    const why = roomBreach(path, room, other, rooms)
    return why === undefined ? [] : [breach(use, why)]
  })
}

function roomBreach(path: string, room: string | undefined, other: string, rooms: Rooms): string | undefined {
  const rank = rooms.ranks[other] ?? Infinity
  if (room === undefined) {
    const highest = rooms.doors[posix.basename(path)] ?? -1
    return rank <= highest ? undefined : `${other} (rank ${rank}) is above what this door shows (${highest})`
  }
  const own = rooms.ranks[room] ?? -1
  if (room === other || own > rank || rooms.sameRank[room]?.includes(other)) return undefined
  return `${room} (rank ${own}) may not import ${other} (rank ${rank})`
}

function packageBreach(room: string | undefined, specifier: string, rooms: Rooms): string | undefined {
  const name = specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
  const entry = rooms.packages[name] ?? rooms.packages[`${name.split('/')[0]}/*`]
  if (entry === undefined) return `src/rooms.json does not say which room may import ${name}`
  if (entry.includes('*') || (room !== undefined && entry.includes(room))) return undefined
  return `${name} belongs to ${entry.join(', ')}`
}

function checkForm({ path, code, uses }: Source): Breach[] {
  const breaches: Breach[] = []
  if (/(?<![\w$.])export\s+default\b/.test(code)) breaches.push({ file: path, reason: 'a default export' })
  if (roomOf(path) === undefined) return breaches
  for (const { reexport, specifier, line } of uses)
    if (reexport) breaches.push({ file: path, reason: `line ${line} re-exports ${specifier}: only doors do` })
  return breaches
}

/** How each global is found in code: as an identifier, not as a property or the key of a literal. */
function globalUse(name: string): RegExp {
  const [object = '', member] = name.split('.')
  const free = String.raw`(?<![\w$.#])`
  if (name === 'new Date()')
    return new RegExp(String.raw`${free}(new\s+Date\s*\(\s*\)|new\s+Date\b(?!\s*[(.])|Date\s*\(\s*\))`)
  if (member !== undefined) return new RegExp(String.raw`${free}${object}\s*\??\.\s*${member}\b`)
  if (object === 'process' || object === 'console') return new RegExp(String.raw`${free}${object}\s*(\?\.|\.|\[)`)
  return new RegExp(String.raw`(?<![\w$#])${object}\b(?!\s*\??:)`)
}

function globalsIn({ code }: Source, rooms: Rooms): { name: string; line: number }[] {
  return Object.keys(rooms.globals).flatMap((name) => {
    const found = globalUse(name).exec(code)
    return found === null ? [] : [{ name, line: code.slice(0, found.index).split('\n').length }]
  })
}

function checkGlobals(source: Source, rooms: Rooms): Breach[] {
  const room = roomOf(source.path) ?? ''
  const allowed = rooms.exceptions.find(({ file }) => `src/${file}` === source.path)?.globals ?? []
  return globalsIn(source, rooms)
    .filter(({ name }) => !rooms.globals[name]?.includes(room) && !allowed.includes(name))
    .map(({ name, line }) => ({
      file: source.path,
      reason: `line ${line} uses ${name}, which belongs to ${rooms.globals[name]?.join(', ')}`,
    }))
}

/** An exception that nothing needs any more would let the next mistake through. */
function checkExceptions(src: readonly Source[], rooms: Rooms): Breach[] {
  return rooms.exceptions.flatMap(({ file, globals }) => {
    const source = src.find(({ path }) => path === `src/${file}`)
    if (source === undefined) return []
    const used = new Set(globalsIn(source, rooms).map(({ name }) => name))
    return globals
      .filter((name) => !used.has(name))
      .map((name) => ({ file: source.path, reason: `its exception for ${name} is not needed any more` }))
  })
}

/** Cycles of files that Node loads one after another; each is told once, from its first file on. */
function checkCycles(src: readonly Source[], files: Files): Breach[] {
  const edges = new Map(
    src.map(({ path, uses }) => [
      path,
      uses.flatMap(({ specifier, atLoad }) =>
        atLoad && specifier.startsWith('.') ? (target(path, specifier, files) ?? []) : [],
      ),
    ]),
  )
  const done = new Set<string>()
  const breaches: Breach[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path)
    if (seen >= 0) {
      const cycle = [...trail.slice(seen), path]
      breaches.push({ file: path, reason: `an import cycle: ${cycle.join(' → ')}` })
    }
    if (seen >= 0 || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const { path } of src) visit(path, [])
  return breaches
}

/** Declarations know the public name of the package, their own folder, and their neighbours’ events. */
function checkDeclaration({ path, uses }: Source, rooms: Rooms): Breach[] {
  const [top, context] = path.split('/')
  if (top !== 'streams' && top !== 'examples') return []
  // beside its declarations an example has a program, which is one of Node, and may have a stand-in for what they call
  const program = top === 'examples' && !path.includes('/streams/')
  return uses.flatMap(({ specifier, line }) => {
    const place = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
    const allowed =
      place === undefined
        ? rooms.declarations.packages.includes(specifier) ||
          (program && (specifier.startsWith('node:') || specifier === 'millrace/testing'))
        : place.startsWith(`${top}/${context}/`) || (place.startsWith(`${top}/`) && /\/events\.(js|ts)$/.test(place))
    const reason = `line ${line} imports ${specifier}: declarations know ${rooms.declarations.packages.join(', ')}, their own folder and their neighbours’ events`
    return allowed ? [] : [{ file: path, reason }]
  })
}
