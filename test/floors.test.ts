/** The floors of the house: who may import whom, read off the import statements; every rule is shown to fail. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { contract } from '../src/contract.ts';

type Tree = Readonly<Record<string, string>>;
interface Import {
  readonly from: string;
  /** A path in the tree, or the name of a package. */
  readonly to: string;
  readonly external: boolean;
  readonly dynamic: boolean;
  readonly typeOnly: boolean;
}

function read(folder: string, ...endings: string[]): Tree {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
    posix.join(folder, name.replaceAll('\\', '/')),
  );
  return Object.fromEntries(
    names.filter((name) => endings.some((end) => name.endsWith(end))).map((name) => [name, readFileSync(name, 'utf8')]),
  );
}
const tree: Tree = { ...read('src', '.ts'), ...read('assembly', '.ts'), ...read('native', '.cc', '.h') };

// ---- reading ----
function importsOf(from: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (name: ts.Node | undefined, dynamic: boolean, typeOnly: boolean): void => {
    if (!name || !ts.isStringLiteralLike(name)) return;
    const external = !name.text.startsWith('.');
    const path = posix.join(posix.dirname(from), name.text);
    found.push({
      from,
      to: external ? name.text : /\.\w+$/.test(path) ? path : `${path}.ts`,
      external,
      dynamic,
      typeOnly,
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause: clause } = node;
      const named = clause?.namedBindings;
      const types =
        named &&
        ts.isNamedImports(named) &&
        !clause.name &&
        named.elements.length > 0 &&
        named.elements.every((e) => e.isTypeOnly);
      add(node.moduleSpecifier, false, Boolean(clause?.isTypeOnly || types));
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, false, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], true, false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, text, ts.ScriptTarget.Latest, false));
  return found;
}
const cache = new Map<string, Import[]>();
function imports(tree: Tree, folder: string): Import[] {
  return Object.entries(tree)
    .filter(([path]) => path.startsWith(folder) && path.endsWith('.ts'))
    .flatMap(([path, text]) => {
      const key = `${path}\n${text}`;
      if (!cache.has(key)) cache.set(key, importsOf(path, text));
      return cache.get(key)!;
    });
}
/** All that a file reaches, with the way there. */
function reach(edges: readonly Import[], from: string): Map<string, string> {
  const ways = new Map<string, string>();
  const queue: (readonly [string, string])[] = [[from, from]];
  for (const [path, way] of queue)
    for (const { to, external } of edges.filter((edge) => edge.from === path)) {
      if (external || ways.has(to)) continue;
      ways.set(to, `${way} > ${to}`);
      queue.push([to, `${way} > ${to}`]);
    }
  return ways;
}

// ---- the floors ----
const publicDoors = ['src/index.ts', 'src/external.ts'];
const doors = /^src\/((index|external)\.ts|(cli|server|cluster|report)\/)/;
type Floor = 'doors' | 'table' | 'models' | 'backends' | 'ground';
function floorOf(path: string): Floor {
  if (doors.test(path)) return 'doors';
  if (path.startsWith('src/table/')) return 'table';
  if (/^src\/(models|training)\//.test(path)) return 'models';
  return path.startsWith('src/backends/') ? 'backends' : 'ground';
}
/** Models import each other only in the order of the contract; those that stand alone import none of the others. */
const alone = ['lds', 'jacobian', 'convolution'];
const inOrder = Object.keys(contract).filter((noun) => !alone.includes(noun));
const nouns = [...inOrder, ...alone];
const nounOf = (path: string): string | undefined =>
  nouns.find((noun) => new RegExp(`^src/models/${noun}(\\.ts|/)`).test(path));

/** Folders of a floor: their files are faces or stand alone, and anyone above may enter. */
const floors = [
  'src/backends/',
  'src/models/',
  'src/models/dense/',
  'src/models/recurrent/',
  'src/training/',
  'src/cli/',
  'src/server/',
  'src/cluster/',
  'src/report/',
  'src/wasm/',
];
/** Rooms: each is entered by its own files, by its face (X.ts beside X/), and by the sisters listed here. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/contract/': [],
  'src/bind/': [],
  'src/check/': [],
  'src/file/': [],
  'src/table/': ['src/cli/', 'src/server/', 'src/cluster/', 'src/report/'],
  'src/models/components/': ['gaussian', 'mixture', 'statistics', 'divergence'].map((name) => `src/models/${name}.ts`),
  'src/models/convolution/': [],
  'src/models/density/': ['src/models/recurrent/network'],
  'src/models/classifier/': ['src/models/recurrent/classifier', 'src/models/dense/'],
  'src/models/dense/classifier/': [],
  'src/models/jacobian/': [],
  'src/models/lds/': ['src/models/system-statistics.ts'],
  'src/models/recurrent/stack/': ['src/models/recurrent/'],
  'src/models/recurrent/network/': [],
  'src/models/recurrent/classifier/': [],
  'src/models/recurrent/diagnose/': [],
  'src/cli/fit/': ['src/cli/kinds.ts'],
  'src/cli/score/': ['src/cli/kinds.ts', 'src/cli/impute.ts', 'src/cli/rewrite.ts'],
  'src/cli/inspect/': ['src/cli/kinds.ts'],
  'src/cli/describe/': ['src/cli/kinds.ts'],
  'src/cli/sample/': ['src/cli/kinds.ts'],
  'src/cli/forecast/': [],
  'src/server/scorers/': [],
};
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
function mayEnter(from: string, room: string): boolean {
  const face = `${room.slice(0, -1)}.ts`;
  return from.startsWith(room) || from === face || rooms[room]!.some((sister) => from.startsWith(sister));
}

/** Packages that a user installs for the door that needs them. */
const optional = new Set(Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).peerDependencies));
const packageOf = (name: string): string => /^(@[^/]+\/)?[^/]+/.exec(name)![0];

const importText = ({ from, to }: Import): string => `${from} imports ${to}`;
const own = (tree: Tree): Import[] => imports(tree, 'src/').filter(({ external }) => !external);
const rules: Readonly<Record<string, (tree: Tree) => string[]>> = {
  'what is imported is there': (tree) =>
    [...own(tree), ...imports(tree, 'assembly/')].filter(({ to }) => !(to in tree)).map(importText),
  'ground imports only ground': (tree) =>
    own(tree)
      .filter(({ from, to }) => floorOf(from) === 'ground' && floorOf(to) !== 'ground')
      .map(importText),
  'backends import ground and each other': (tree) =>
    own(tree)
      .filter(({ from, to }) => floorOf(from) === 'backends' && !['ground', 'backends'].includes(floorOf(to)))
      .map(importText),
  'a room is entered only through its face or from a sister': (tree) =>
    own(tree)
      .filter(({ from, to }) => folderOf(to) in rooms && !mayEnter(from, folderOf(to)))
      .map(importText),
  'every folder is a floor or a room': (tree) => {
    const folders = Object.keys(tree)
      .filter((path) => path.startsWith('src/'))
      .map(folderOf);
    return [...new Set(folders)].filter(
      (folder) => folder !== 'src/' && !floors.includes(folder) && !(folder in rooms),
    );
  },
  'the table knows no command and no model: of ours, only the errors': (tree) =>
    own(tree)
      .filter(({ from, to }) => floorOf(from) === 'table' && floorOf(to) !== 'table' && to !== 'src/errors.ts')
      .map(importText),
  'only the public door knows where the wasm module is': (tree) =>
    imports(tree, 'src/')
      .filter(({ from, to }) => to === '#wasm' && from !== 'src/index.ts')
      .map(importText),
  'models import ground, models and the default backend, never a concrete one': (tree) =>
    own(tree)
      .filter(
        ({ from, to }) =>
          floorOf(from) === 'models' &&
          (['doors', 'table'].includes(floorOf(to)) ||
            (floorOf(to) === 'backends' && to !== 'src/backends/default.ts')),
      )
      .map(importText),
  'training imports ground and training: it knows no model and no backend': (tree) =>
    own(tree)
      .filter(
        ({ from, to }) =>
          from.startsWith('src/training/') && !to.startsWith('src/training/') && floorOf(to) !== 'ground',
      )
      .map(importText),
  'models import each other in one order, also by a detour': (tree) => {
    const edges = own(tree);
    return Object.keys(tree).flatMap((path) => {
      const noun = nounOf(path);
      if (!noun) return [];
      const allowed = inOrder.includes(noun) ? inOrder.slice(0, inOrder.indexOf(noun) + 1) : [noun];
      return [...reach(edges, path)]
        .filter(([to]) => nounOf(to) && !allowed.includes(nounOf(to)!))
        .map(([, way]) => way);
    });
  },
  'nothing imports itself by a detour': (tree) => {
    const edges = own(tree);
    return [...new Set(edges.map(({ from }) => from))].flatMap((path) => reach(edges, path).get(path) ?? []);
  },
  'the public door opens no other door and no concrete backend': (tree) =>
    own(tree)
      .filter(
        ({ from, to }) =>
          publicDoors.includes(from) &&
          !publicDoors.includes(to) &&
          (floorOf(to) === 'doors' || /^src\/backends\/(?!default)/.test(to)),
      )
      .map(importText),
  'the other doors use what the public door exports': (tree) =>
    own(tree)
      .filter(({ from }) => floorOf(from) === 'doors' && !publicDoors.includes(from))
      .filter(({ to }) => !['doors', 'table'].includes(floorOf(to)))
      .map(importText),
  'optional packages are imported by their door alone': (tree) =>
    imports(tree, 'src/')
      .filter(({ from, to, external }) => external && optional.has(packageOf(to)) && !from.startsWith('src/server/'))
      .map(importText),
  'other doors open the server only when they are asked to': (tree) =>
    own(tree)
      .filter(({ from, to }) => to.startsWith('src/server/') && !from.startsWith('src/server/'))
      .filter(({ dynamic, typeOnly }) => !dynamic && !typeOnly)
      .map(importText),
  'what the public door reaches imports no node: module statically': (tree) => {
    const lasting = imports(tree, 'src/').filter(({ typeOnly }) => !typeOnly);
    const reached = new Set([
      'src/index.ts',
      ...reach(
        lasting.filter(({ dynamic }) => !dynamic),
        'src/index.ts',
      ).keys(),
    ]);
    return lasting
      .filter(({ from, to, dynamic }) => reached.has(from) && !dynamic && to.startsWith('node:'))
      .map(importText);
  },
  'files say what is in them': (tree) =>
    Object.keys(tree).filter((path) => /(^|\/)(utils?|common|helpers?|types)(\.\w+|\/)/.test(path)),

  'kernels import nothing from src': (tree) => [
    ...imports(tree, 'assembly/')
      .filter(({ to, external }) => external || !to.startsWith('assembly/'))
      .map(importText),
    ...includes(tree)
      .filter(({ to }) => /(^|\/)src\//.test(to))
      .map(importText),
  ],
  'nouns of assembly import simd, linalg, contract and their own parts': (tree) =>
    imports(tree, 'assembly/')
      .filter(({ from, to }) => {
        const noun = /^assembly\/(\w+?)(-\w+)?\.ts$/.exec(from)?.[1];
        return (
          noun &&
          nouns.includes(noun) &&
          !/\/(simd|linalg|contract)\.ts$/.test(to) &&
          !to.startsWith(`assembly/${noun}-`)
        );
      })
      .map(importText),
  'linalg of assembly imports simd and contract; simd, memory and contract nothing': (tree) =>
    imports(tree, 'assembly/')
      .filter(
        ({ from, to }) =>
          /\/(simd|memory|contract)\.ts$/.test(from) ||
          (/\/linalg\.ts$/.test(from) && !/\/(simd|contract)\.ts$/.test(to)),
      )
      .map(importText),
  'nouns of native include their own header, linalg and their own parts': (tree) =>
    includes(tree)
      .filter(({ from, to }) => {
        const noun = /^native\/(\w+?)(?:\.cc|-\w+\.h)$/.exec(from)?.[1];
        const own = noun && ([`kernels/${noun}.h`, 'linalg.h'].includes(to) || to.startsWith(`${noun}-`));
        return noun && nouns.includes(noun) && !own;
      })
      .map(importText),
  'linalg of native includes simd and contract, and simd nothing of ours': (tree) =>
    includes(tree)
      .filter(
        ({ from, to }) =>
          (from === 'native/linalg.h' && !['simd.h', 'contract.h'].includes(to)) ||
          (from === 'native/simd.h' && to.endsWith('.h') && !/^(immintrin|arm_neon)\.h$/.test(to)),
      )
      .map(importText),
  'only level.cc knows all kernels': (tree) =>
    includes(tree)
      .filter(({ from, to }) => to === 'kernels.h' && from !== 'native/level.cc')
      .map(importText),
  'only simd and linalg of native speak of one kind of processor': (tree) =>
    Object.entries(tree)
      .filter(
        ([path, text]) =>
          /^native\//.test(path) &&
          !/\/(simd|linalg)\.h$/.test(path) &&
          /\b_mm\d*_\w+|\bv[a-z]+q_[fsu]\d+|immintrin|arm_neon|__AVX|__aarch64__/.test(
            text.replace(/^#(el)?if defined __\w+__$/gm, ''),
          ),
      )
      .map(([path]) => path),
};
/** The includes of native/, as they are written, those of the system too. */
const includes = (tree: Tree): Import[] =>
  Object.entries(tree)
    .filter(([path]) => path.startsWith('native/'))
    .flatMap(([from, text]) =>
      [...text.matchAll(/^\s*#\s*include\s*["<]([^">]+)[">]/gm)].map(([, to]) => ({
        from,
        to: to!,
        external: false,
        dynamic: false,
        typeOnly: false,
      })),
    );

/** A file that breaks the rule: its path, its text, and what is said of it. */
const bad: Readonly<Record<string, (readonly [path: string, text: string, sentence: string])[]>> = {
  'what is imported is there': [['src/a.ts', "import './b.ts';", 'src/a.ts imports src/b.ts']],
  'ground imports only ground': [
    ['src/a.ts', "import { Gaussian } from './models/gaussian.ts';", 'src/a.ts imports src/models/gaussian.ts'],
    [
      'src/contract/a.ts',
      "import type { Choice } from '../backends/native.ts';",
      'src/contract/a.ts imports src/backends/native.ts',
    ],
    ['src/a.ts', "export * from './index.ts';", 'src/a.ts imports src/index.ts'],
    ['src/a.ts', "const late = () => import('./backends/default.ts');", 'src/a.ts imports src/backends/default.ts'],
  ],
  'backends import ground and each other': [
    ['src/backends/a.ts', "import '../models/model.ts';", 'src/backends/a.ts imports src/models/model.ts'],
  ],
  'a room is entered only through its face or from a sister': [
    ['src/backends/a.ts', "import { planner } from '../bind/plan.ts';", 'src/backends/a.ts imports src/bind/plan.ts'],
    [
      'src/models/lds.ts',
      "import { runEm } from './components/em.ts';",
      'src/models/lds.ts imports src/models/components/em.ts',
    ],
    [
      'src/index.ts',
      "export { isFull } from './models/density/mapping.ts';",
      'src/index.ts imports src/models/density',
    ],
    ['src/cli/a.ts', "import { RowScores } from './score/rows.ts';", 'src/cli/a.ts imports src/cli/score/rows.ts'],
    ['src/models/a.ts', "import { readCsv } from '../table/csv.ts';", 'src/models/a.ts imports src/table/csv.ts'],
  ],
  'every folder is a floor or a room': [['src/models/tools/a.ts', '', 'src/models/tools/']],
  'the table knows no command and no model: of ours, only the errors': [
    ['src/table/a.ts', "import { misuse } from '../cli/exit.ts';", 'src/table/a.ts imports src/cli/exit.ts'],
    ['src/table/a.ts', "import { loadModel } from '../index.ts';", 'src/table/a.ts imports src/index.ts'],
    [
      'src/table/a.ts',
      "import type { Model } from '../models/model.ts';",
      'src/table/a.ts imports src/models/model.ts',
    ],
  ],
  'only the public door knows where the wasm module is': [
    ['src/models/a.ts', "import { wasmModule } from '#wasm';", 'src/models/a.ts imports #wasm'],
    ['src/external.ts', "import { wasmModule } from '#wasm';", 'src/external.ts imports #wasm'],
  ],
  'models import ground, models and the default backend, never a concrete one': [
    [
      'src/models/a.ts',
      "import { openWasm } from '../backends/wasm.ts';",
      'src/models/a.ts imports src/backends/wasm.ts',
    ],
    ['src/training/a.ts', "import { klDivergence } from '../index.ts';", 'src/training/a.ts imports src/index.ts'],
    [
      'src/models/recurrent/a.ts',
      "import { x } from '../../cli/run.ts';",
      'src/models/recurrent/a.ts imports src/cli/run.ts',
    ],
  ],
  'training imports ground and training: it knows no model and no backend': [
    [
      'src/training/a.ts',
      "import type { Model } from '../models/model.ts';",
      'src/training/a.ts imports src/models/model.ts',
    ],
    [
      'src/training/a.ts',
      "import { defaultBackend } from '../backends/default.ts';",
      'src/training/a.ts imports src/backends/default.ts',
    ],
  ],
  'models import each other in one order, also by a detour': [
    [
      'src/models/gaussian.ts',
      "import { GaussianMixture } from './mixture.ts';",
      'src/models/gaussian.ts > src/models/mixture.ts',
    ],
    ['src/models/lds.ts', "import { Gaussian } from './gaussian.ts';", 'src/models/lds.ts > src/models/gaussian.ts'],
    [
      'src/models/density.ts',
      "import { cell } from './recurrent/network.ts';",
      'src/models/density.ts > src/models/recurrent/network.ts',
    ],
    [
      'src/models/components/components.ts',
      "import type { GaussianMixture } from '../mixture.ts';",
      'src/models/gaussian.ts > src/models/components/components.ts > src/models/mixture.ts',
    ],
  ],
  'nothing imports itself by a detour': [
    [
      'src/errors.ts',
      "import type { Call } from './bind/plan.ts';",
      'src/errors.ts > src/bind/plan.ts > src/errors.ts',
    ],
    [
      'src/models/model.ts',
      "import { Gaussian } from './gaussian.ts';",
      'src/models/model.ts > src/models/gaussian.ts',
    ],
  ],
  'the public door opens no other door and no concrete backend': [
    ['src/index.ts', "export * from './server/plugin.ts';", 'src/index.ts imports src/server/plugin.ts'],
    [
      'src/index.ts',
      "export { openNative } from './backends/native.ts';",
      'src/index.ts imports src/backends/native.ts',
    ],
  ],
  'the other doors use what the public door exports': [
    [
      'src/cli/a.ts',
      "import { Gaussian } from '../models/gaussian.ts';",
      'src/cli/a.ts imports src/models/gaussian.ts',
    ],
    ['src/report/a.ts', "import { SeqlikError } from '../errors.ts';", 'src/report/a.ts imports src/errors.ts'],
  ],
  'optional packages are imported by their door alone': [
    ['src/models/a.ts', "import fastify from 'fastify';", 'src/models/a.ts imports fastify'],
    ['src/cli/a.ts', "const late = () => import('@fastify/swagger/x');", 'src/cli/a.ts imports @fastify/swagger/x'],
  ],
  'other doors open the server only when they are asked to': [
    ['src/cli/a.ts', "import { serve } from '../server/index.ts';", 'src/cli/a.ts imports src/server/index.ts'],
  ],
  'what the public door reaches imports no node: module statically': [
    ['src/errors.ts', "import { inspect } from 'node:util';", 'src/errors.ts imports node:util'],
    ['src/index.ts', "export { readFile } from 'node:fs/promises';", 'src/index.ts imports node:fs/promises'],
  ],
  'files say what is in them': [
    ['src/utils.ts', '', 'src/utils.ts'],
    ['src/models/types.ts', '', 'src/models/types.ts'],
    ['native/common.h', '', 'native/common.h'],
    ['src/helpers/a.ts', '', 'src/helpers/a.ts'],
  ],
  'kernels import nothing from src': [
    ['assembly/lds.ts', 'import { levels } from "../src/levels";', 'assembly/lds.ts imports src/levels.ts'],
    ['assembly/lds.ts', 'import { f } from "some-package";', 'assembly/lds.ts imports some-package'],
    ['native/lds.cc', '#include "../src/levels.h"', 'native/lds.cc imports ../src/levels.h'],
  ],
  'nouns of assembly import simd, linalg, contract and their own parts': [
    ['assembly/lds.ts', 'import * as gaussian from "./gaussian";', 'assembly/lds.ts imports assembly/gaussian.ts'],
    ['assembly/lds.ts', 'import { alloc } from "./memory";', 'assembly/lds.ts imports assembly/memory.ts'],
    [
      'assembly/mixture.ts',
      'import { solve } from "./lds-lanes";',
      'assembly/mixture.ts imports assembly/lds-lanes.ts',
    ],
  ],
  'linalg of assembly imports simd and contract; simd, memory and contract nothing': [
    ['assembly/simd.ts', 'import { tri } from "./linalg";', 'assembly/simd.ts imports assembly/linalg.ts'],
    ['assembly/linalg.ts', 'import { alloc } from "./memory";', 'assembly/linalg.ts imports assembly/memory.ts'],
  ],
  'nouns of native include their own header, linalg and their own parts': [
    ['native/lds.cc', '#include "kernels/gaussian.h"', 'native/lds.cc imports kernels/gaussian.h'],
    ['native/lds.cc', '  #  include <cmath>', 'native/lds.cc imports cmath'],
    ['native/gaussian.cc', '#include "pool.h"', 'native/gaussian.cc imports pool.h'],
    ['native/lds-lanes.h', '#include "pool.h"', 'native/lds-lanes.h imports pool.h'],
  ],
  'linalg of native includes simd and contract, and simd nothing of ours': [
    ['native/linalg.h', '#include <cmath>', 'native/linalg.h imports cmath'],
    ['native/simd.h', '#include "linalg.h"', 'native/simd.h imports linalg.h'],
  ],
  'only level.cc knows all kernels': [['native/addon.cc', '#include "kernels.h"', 'native/addon.cc imports kernels.h']],
  'only simd and linalg of native speak of one kind of processor': [
    ['native/lds.cc', 'auto v = _mm256_add_pd(a, b);', 'native/lds.cc'],
    ['native/lds.cc', 'auto v = vaddq_f64(a, b);', 'native/lds.cc'],
    ['native/pool.cc', '#include <immintrin.h>', 'native/pool.cc'],
  ],
};

describe.each(Object.entries(rules))('%s', (name, broken) => {
  test('here', () => expect(broken(tree)).toEqual([]));
  test.each(bad[name]!)('and not in %s: %s', (path, text, sentence) =>
    expect(
      broken({ ...tree, [path]: text }).some((fault) => fault.startsWith(sentence)),
      sentence,
    ).toBe(true),
  );
});
test('what is allowed is not refused', () => {
  const more: Tree = {
    ...tree,
    'src/models/recurrent/network.ts':
      "import { x } from '../density.ts'; import { y } from '../mixture.ts'; import '../../training/sgd.ts';",
    'src/models/density.ts':
      "import { defaultBackend } from '../backends/default.ts'; import type { Backend } from '../bind.ts';",
    'src/training/sgd.ts': "import { Random } from '../random.ts'; const file = () => import('node:fs');",
    'src/models/lds.ts': "import { Model } from './model.ts'; import type { Stats } from 'node:fs';",
    'src/cli/run.ts':
      "import { readFile } from 'node:fs/promises'; import '../index.ts'; import { page } from '../report/page.ts';",
    'src/report/page.ts': "import { loadModel } from '../index.ts';",
    'src/index.ts': `${tree['src/index.ts']} export * from './models/lds.ts'; import './models/recurrent/network.ts';`,
    'assembly/lds.ts':
      'import { madd } from "./simd"; import { tri } from "./linalg"; import { Cell } from "./contract";',
    'native/lds.cc': '#include "kernels/lds.h"\n#include "linalg.h"',
  };
  for (const [name, broken] of Object.entries(rules)) expect(broken(more), name).toEqual([]);
});
test('every noun of the contract has its files, of the same name in each language', () => {
  for (const noun of Object.keys(contract)) {
    for (const path of [
      `src/contract/${noun}.ts`,
      `native/${noun}.cc`,
      `native/kernels/${noun}.h`,
      `assembly/${noun}.ts`,
    ])
      expect(existsSync(path), path).toBe(true);
  }
});
test('the statements are found, however they are written', () => {
  const text = `import a, { type B } from './a.ts'; import type { C } from "./c.ts"; import './d.ts';
    export { e } from './e.ts'; export type { F } from './f.ts'; export * as g from './g.ts';
    // import './not.ts'
    const s = "import './not.ts'"; const late = async () => (await import('./h.ts')).h;
    import { type I, type J } from './i.ts';`;
  const kind = ({ to, dynamic, typeOnly }: Import): string =>
    `${to}${dynamic ? ' late' : ''}${typeOnly ? ' type' : ''}`;
  expect(importsOf('src/x.ts', text).map(kind)).toEqual([
    'src/a.ts',
    'src/c.ts type',
    'src/d.ts',
    'src/e.ts',
    'src/f.ts type',
    'src/g.ts',
    'src/h.ts late',
    'src/i.ts type',
  ]);
});
