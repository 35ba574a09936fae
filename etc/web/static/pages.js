/* What makes the pages more comfortable; all of them work without it. It looks, and never acts. */
"use strict";
(() => {
	const ja = document.documentElement.lang === "ja";
	const each = (css, see) => document.querySelectorAll(css).forEach(see);

	/* How long it still waits: to the second in the last ten minutes. */
	const left = seconds => {
		const m = Math.floor(seconds / 60), s = String(seconds % 60).padStart(2, "0");
		if (m >= 10)
			return null;
		if (m > 0)
			return ja ? `あと${m}分${s}秒` : `in ${m} min ${s} s`;
		return ja ? `あと${seconds}秒` : `in ${seconds} s`;
	};
	const count = () => each("[data-until]", e => {
		const seconds = Math.ceil((Date.parse(e.dataset.until) - Date.now()) / 1000);
		const text = seconds > 0 ? left(seconds) : null;
		if (text && e.textContent !== text)
			e.textContent = text;
	});
	if (document.querySelector("[data-until]")) {
		count();
		setInterval(count, 1000);
	}

	/* Whether the mail is in another state than the page says: then the page is loaded anew, unless somebody types. */
	const stamp = document.querySelector("[data-stamp]");
	const busy = () => [...document.querySelectorAll("textarea, input:not([type=hidden])")].some(
		e => e.type === "checkbox" ? e.checked !== e.defaultChecked : e.value !== e.defaultValue);
	let looks = 40; /* then nobody is there: a page that is left open keeps no session alive */
	const look = async () => {
		if (document.hidden || busy() || looks-- <= 0)
			return;
		try {
			const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
			const now = fresh.querySelector("[data-stamp]");
			if (answer.ok && now && now.dataset.stamp !== stamp.dataset.stamp && !busy())
				location.reload();
		} catch {
			/* not now: at the next look */
		}
	};
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
