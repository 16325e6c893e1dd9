/** One configured package source, as far as it matters here. */
export interface AptSource {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** Path of a keyring; `undefined` where apt's own trusted keys count, or the key stands in the file itself. */
  readonly signedBy: string | undefined
}

/** A file of `/etc/apt`, by name and text. */
export interface AptSourceFile {
  readonly name: string
  readonly text: string
}

/**
 * Reads binary package sources from apt's configuration, in both of its forms (sources.list(5)): one line per source
 * in `*.list`, stanzas in `*.sources`. Sources that are switched off, and CD-ROMs, are left out.
 */
export function parseAptSources(files: readonly AptSourceFile[]): AptSource[] {
  const sources = files.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? stanzas(text).flatMap(fromStanza) : text.split('\n').flatMap(fromLine),
  )
  return sources.filter(({ uri }) => /^[a-z0-9+]+:\S+$/i.test(uri) && !/^cdrom:/i.test(uri))
}

/**
 * The sources that are mirrors of Debian itself: component `main`, a suite of this release, and Debian's own key or
 * none named. Third parties bring a key of their own. A wrong guess costs time only, as the key is checked later.
 */
export function debianMirrors(sources: readonly AptSource[], codename: string): AptSource[] {
  const suites = new Set([codename, 'stable', 'testing', 'unstable', 'sid'])
  const mirrors = sources.filter(
    ({ suites: named, components, signedBy }) =>
      components.includes('main') &&
      named.some((suite) => suites.has(suite)) &&
      (signedBy === undefined || /\/debian-archive-[^/]*$/.test(signedBy)),
  )
  return mirrors.filter((mirror, at) => mirrors.findIndex(({ uri }) => uri === mirror.uri) === at)
}

function fromLine(line: string): AptSource[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^#\s]+)*)\s*(?:#.*)?$/.exec(line)
  if (match === null) return []
  const [, options = '', uri = '', suite = '', components = ''] = match
  const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]
  return [{ uri, suites: [suite], components: words(components), signedBy: keyring(signedBy) }]
}

/** Stanzas as maps from lower-case field name to value; a continued value keeps its lines. */
function stanzas(text: string): Map<string, string>[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map<string, string>()
      for (const [, name = '', value = ''] of stanza.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t]+.*)*)/gm))
        fields.set(name.toLowerCase(), value.trim())
      return fields
    })
}

function fromStanza(fields: Map<string, string>): AptSource[] {
  const list = (name: string): string[] => words(fields.get(name) ?? '')
  if (!list('types').includes('deb') || /^(no|false|0|off)$/i.test(fields.get('enabled') ?? '')) return []
  const signedBy = keyring(fields.get('signed-by'))
  return list('uris').map((uri) => ({ uri, suites: list('suites'), components: list('components'), signedBy }))
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function keyring(value: string | undefined): string | undefined {
  return value !== undefined && /^\/\S+$/.test(value) ? value : undefined
}
