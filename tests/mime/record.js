// Records what postal-mime sees in the committed messages, in the words of told.h; README tells how.
//
//     node tests/mime/record.js FOLDER... >tests/mime/recorded.json
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.cwd(), 'here.js'));
const { default: PostalMime } = await import(pathToFileURL(require.resolve('postal-mime')));
const { version } = require('postal-mime/package.json');

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

function withoutLineEnds(bytes) {
    const kept = Buffer.from(bytes.filter(byte => byte !== 13));
    let end = kept.length;
    while (end > 0 && kept[end - 1] === 10) {
        end--;
    }
    return kept.subarray(0, end);
}

// Its parser keeps a tree of nodes behind the flat result; attachments share their content with nodes,
// and only of them it tells a name.
async function within(path, bytes) {
    const parser = new PostalMime({ forceRfc822Attachments: true });
    const result = await parser.parse(bytes);
    const multipart = Boolean(parser.root.contentType.multipart);
    return walk(multipart ? path : below(path, 1), parser.root, result);
}

const below = (path, number) => (path ? `${path}.${number}` : String(number));

async function walk(path, node, result) {
    if (node.contentType.multipart) {
        const found = [];
        for (const [i, child] of node.childNodes.entries()) {
            found.push(...(await walk(below(path, i + 1), child, result)));
        }
        return found;
    }
    const type = node.contentType.parsed.value;
    const content = Buffer.from(node.content ?? new ArrayBuffer(0));
    if (type === 'message/rfc822') {
        return within(path, content);
    }
    const leaf = { path, type: type.toLowerCase(), size: content.length, sha256: sha256(content), lines: sha256(withoutLineEnds(content)) };
    const attachment = result.attachments.find(one => one.content === node.content);
    if (attachment) {
        leaf.name = attachment.filename ?? '';
    }
    if (type === 'text/plain' || type === 'text/html') {
        leaf.text = node.content ? node.getTextContent() : '';
    }
    return [leaf];
}

const told = { parser: `postal-mime ${version}`, messages: {} };
for (const folder of process.argv.slice(2)) {
    for (const file of readdirSync(folder).filter(name => name.endsWith('.eml')).sort()) {
        const bytes = readFileSync(join(folder, file));
        let leaves;
        try {
            leaves = await within('', bytes);
        } catch (fault) {
            leaves = [{ path: '-', type: `!${fault.message}`, size: 0, sha256: '', lines: '' }];
        }
        told.messages[basename(file, '.eml')] = { sha256: sha256(bytes), leaves };
    }
}
console.log(JSON.stringify(told, null, 1));
