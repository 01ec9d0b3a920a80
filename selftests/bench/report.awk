# Reads targets, then results; writes a table, and JSON and a chart's data on the
# side. Round 0 warmed up and does not count.

FILENAME ~ /targets$/ {
	if ($0 ~ /^#/ || NF < 7)
		next
	nt++
	t_section[nt] = $1; t_metric[nt] = $2; t_subject[nt] = $3
	t_rivals[nt] = $4
	t_factor[nt] = kernel == "6.1" ? $5 : kernel == "6.12" ? $6 : $7
	next
}

NF == 5 && ($4 > 0 || $1 == "memory") {
	row = $1 SUBSEP $2
	if (!(row in known)) {
		known[row] = ++nr
		section[nr] = $1; metric[nr] = $2
	}
	if (!(($1, $3) in has)) {
		has[$1, $3] = 1
		subjects[$1] = subjects[$1] (subjects[$1] == "" ? "" : ",") $3
	}
	k = $1 SUBSEP $2 SUBSEP $3
	value[k, ++count[k]] = $5
}

# Sorts value[k, 1..]; sets median and spread (of the whole range, in percent).
function settle(k,    i, j, v, n)
{
	n = count[k]
	for (i = 2; i <= n; i++) {
		v = value[k, i]
		for (j = i - 1; j && value[k, j] + 0 > v + 0; j--)
			value[k, j + 1] = value[k, j]
		value[k, j + 1] = v
	}
	median[k] = n % 2 ? value[k, (n + 1) / 2] + 0 \
		: (value[k, n / 2] + value[k, n / 2 + 1]) / 2
	spread[k] = median[k] ? (value[k, n] - value[k, 1]) / median[k] * 100 : 0
}

# One * in a pattern stands for any bytes.
function fits(pattern, name,    at, rest)
{
	at = index(pattern, "*")
	if (!at)
		return pattern == name
	rest = length(pattern) - at
	return substr(name, 1, at - 1) == substr(pattern, 1, at - 1) &&
		substr(name, length(name) - rest + 1) == substr(pattern, at + 1)
}

# The next target of a row for a subject, 0 if there is none: the first that fits
# with these rivals.
function target(r, subject, after,    i, j)
{
	for (i = after + 1; i <= nt; i++) {
		if (!suits(i, r, subject))
			continue
		for (j = 1; j < i; j++)
			if (t_rivals[j] == t_rivals[i] && suits(j, r, subject))
				break
		if (j == i)
			return i
	}
	return 0
}

function suits(t, r, subject)
{
	return t_section[t] == section[r] && t_subject[t] == subject &&
		fits(t_metric[t], metric[r])
}

function figure(v)
{
	return v < 100 ? sprintf("%.1f", v) : sprintf("%.0f", v)
}

# How many times faster than the best rival: sets ratio and rival.
function compare(r, subject, t,    names, i, n, k)
{
	n = split(t_rivals[t], names, ",")
	best = 0
	for (i = 1; i <= n; i++) {
		k = section[r] SUBSEP metric[r] SUBSEP names[i]
		if (k in median && (!best || median[k] < best)) {
			best = median[k]
			rival = names[i]
		}
	}
	k = section[r] SUBSEP metric[r] SUBSEP subject
	ratio = best && median[k] ? best / median[k] : 0
	return ratio
}

function heading(s,    names, i, n)
{
	printf "\n%-28s", s
	n = split(subjects[s], names, ",")
	for (i = 1; i <= n; i++)
		printf " %*s", width(names[i]), names[i]
	printf "  %s\n", "spread%  speed beside the best rival (asked)"
}

function width(name)
{
	return length(name) < 9 ? 9 : length(name)
}

function line(r,    names, i, n, k, t, worst, said)
{
	printf "%-28s", metric[r]
	n = split(subjects[section[r]], names, ",")
	worst = 0
	said = ""
	for (i = 1; i <= n; i++) {
		k = section[r] SUBSEP metric[r] SUBSEP names[i]
		if (!(k in count)) {
			printf " %*s", width(names[i]), "-"
			continue
		}
		printf " %*s", width(names[i]), figure(median[k])
		if (spread[k] > worst)
			worst = spread[k]
		for (t = 0; (t = target(r, names[i], t)); )
			said = said judged(r, names[i], t)
	}
	printf "  %7.1f%s\n", worst, said
}

# How it went, for the line; in the sums, and the chart if something was asked.
function judged(r, subject, t,    word, said)
{
	if (!compare(r, subject, t))
		return ""
	word = verdict(t)
	said = sprintf("  %s %.2fx %s", subject, ratio, rival)
	if (word != "")
		said = said sprintf(" (%s %s)", t_factor[t], word)
	met += word == "met"
	missed += word == "MISSED"
	if (word != "")
		printf "%s\t%s\t%s\t%.3f\t%s\t%s\n", section[r], metric[r],
			subject, ratio, t_factor[t], rival >chart
	return said
}

# Half a hundredth is noise.
function verdict(t)
{
	if (t_factor[t] == "-")
		return ""
	return ratio >= t_factor[t] - 0.005 ? "met" : "MISSED"
}

function in_json(r,    names, i, n, k, t, first)
{
	n = split(subjects[section[r]], names, ",")
	for (i = 1; i <= n; i++) {
		k = section[r] SUBSEP metric[r] SUBSEP names[i]
		if (!(k in count))
			continue
		printf "%s\n  {\"section\":\"%s\",\"metric\":\"%s\"," \
			"\"subject\":\"%s\",\"median\":%.2f,\"spread\":%.2f," \
			"\"rounds\":%d", comma, section[r], metric[r], names[i],
			median[k], spread[k], count[k] >json
		t = target(r, names[i], 0)
		if (t && compare(r, names[i], t)) {
			printf ",\"rival\":\"%s\",\"ratio\":%.3f", rival,
				ratio >json
			if (t_factor[t] != "-")
				printf ",\"target\":%s,\"met\":%s", t_factor[t],
					verdict(t) == "met" ? "true" : "false" >json
		}
		printf "}" >json
		comma = ","
	}
}

END {
	printf "Linux %s, medians, %s\n", kernel, clock == "icount" ? \
		"instructions (one processor, -icount)" : \
		"nanoseconds (emulated by TCG)"
	for (k in count)
		settle(k)
	printf "" >chart
	printf "{\"kernel\":\"%s\",\"clock\":\"%s\",\"figures\":[", kernel,
		clock >json
	for (r = 1; r <= nr; r++) {
		if (section[r] != last)
			heading(section[r])
		last = section[r]
		line(r)
		in_json(r)
	}
	printf "\n]}\n" >json
	printf "\n%d targets met, %d missed\n", met, missed
}
