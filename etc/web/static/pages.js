/* What makes the pages more comfortable; all of them work without it. It looks, and never acts. */
"use strict";
(() => {
	const ja = document.documentElement.lang === "ja";
	const each = (css, see) => document.querySelectorAll(css).forEach(see);

	/* How long it still waits, as the page itself says it; to the second in the last ten minutes. */
	const left = seconds => {
		const d = Math.floor(seconds / 86400), h = Math.floor(seconds / 3600) % 24;
		const m = Math.floor(seconds / 60) % 60, s = String(seconds % 60).padStart(2, "0");
		if (seconds <= 0)
			return ja ? "まもなく" : "any moment";
		if (seconds < 60)
			return ja ? `あと${seconds}秒` : `in ${seconds} s`;
		if (seconds < 600)
			return ja ? `あと${m}分${s}秒` : `in ${m} min ${s} s`;
		const units = [[d, "日", "day"], [h, "時間", "hour"], [d > 0 ? 0 : m, "分", "minute"]].filter(unit => unit[0] > 0);
		return ja ? "あと" + units.map(unit => unit[0] + unit[1]).join("")
			: "in " + units.map(unit => `${unit[0]} ${unit[2]}${unit[0] === 1 ? "" : "s"}`).join(" ");
	};
	/* By the gateway's clock: a telephone's may be wrong. */
	const ahead = (Date.parse(document.querySelector("[data-now]")?.dataset.now) || Date.now()) - Date.now();
	let over = false;
	const count = () => each("[data-until]", e => {
		const seconds = Math.ceil((Date.parse(e.dataset.until) - Date.now() - ahead) / 1000);
		const text = left(seconds);
		if (e.textContent !== text)
			e.textContent = text;
		if (seconds <= 0 && !over) {
			over = true;
			setTimeout(look, 5000);
		}
	});
	if (document.querySelector("[data-until]")) {
		count();
		setInterval(count, 1000);
	}

	/*
	 * Whether it is in another state than the page says: then the page is loaded anew, unless somebody types or reads in the
	 * middle of it, who is told instead.
	 */
	const stamp = document.querySelector("[data-stamp]");
	const busy = () => [...document.querySelectorAll("textarea, input:not([type=hidden])")].some(
		e => e.type === "checkbox" ? e.checked !== e.defaultChecked : e.value !== e.defaultValue);
	const reads = () => document.activeElement !== document.body || document.querySelector("details[open]") !== null;
	const tell = () => {
		const line = document.createElement("p"), again = document.createElement("a");
		if (document.getElementById("changed"))
			return;
		line.id = "changed";
		line.className = "notice warn wide";
		line.setAttribute("role", "status");
		again.href = location.href;
		again.textContent = ja ? "ページを更新する" : "Load the page again";
		stamp.prepend(line);
		line.append(ja ? "状態が変わりました。" : "Something has changed. ", again);
	};
	let looks = 40; /* then nobody is there: a page that is left open keeps no session alive */
	async function look() {
		if (!stamp || document.hidden || busy() || looks-- <= 0)
			return;
		try {
			const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
			const now = fresh.querySelector("[data-stamp]");
			if (!answer.ok || !now || now.dataset.stamp === stamp.dataset.stamp || busy())
				return;
			if (reads())
				tell();
			else
				location.reload();
		} catch {
			/* not now: at the next look */
		}
	}
	if (stamp && !document.querySelector("[role=alert]")) {
		setInterval(look, 15000);
		document.addEventListener("visibilitychange", look);
	}

	/* A frame as high as what stands in it. */
	each("iframe.contents", frame => {
		const fit = () => {
			const inner = frame.contentDocument;
			if (!inner || !inner.body || !inner.querySelector("main"))
				return;
			frame.style.height = `${Math.min(Math.max(inner.querySelector("main").offsetHeight + 2, 120), 4000)}px`;
		};
		frame.addEventListener("load", () => {
			fit();
			if (frame.contentDocument)
				frame.contentDocument.querySelectorAll("details").forEach(e => e.addEventListener("toggle", fit));
		});
		addEventListener("resize", fit);
		fit();
	});
})();
