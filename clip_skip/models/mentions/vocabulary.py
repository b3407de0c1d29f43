"""The words of cards the part that they play beside clip skip, in the languages that cards are written in.

Each part is a letter in the units of a text, and has a name for the rules. A blank parts words, "_" stands for a blank
within one, and "*" for any ending.
"""

from __future__ import annotations

from collections.abc import Iterator

# What takes a number back wherever it stands: not, never, avoid.
NOT = "N"
# The same of this version, but no "not": formerly, by mistake.
FORMER = "O"
# A judgement that takes back what it follows: not recommended, bad, breaks.
BAD = "b"
# No clip skip 2; only before the words.
NO = "k"
# Without, unless; with a "not" the two make a demand.
WITHOUT = "z"
# Instead of: what follows is not the choice.
INSTEAD = "P"
# Other than, above: nor is what follows these, unless a "not" makes it the only one.
OTHER_THAN = "p"
# Above: nor is a bound. Below: it is one, with a "not".
ABOVE = "g"
BELOW = "G"
# Don't forget, not only: the "not" is none.
UNDONE = "f"
# Forget, which takes back, and with a "not" reminds.
FORGET = "F"
# "Can't recommend it enough": nor is that "not" one.
ENOUGH = "E"
# But, otherwise, while: a clause begins.
BUT = "c"
# Joins the words with their number: be, have, set, at, a value, always.
JOINING = "j"
# The same, and says whose number it is: this model's, my own; a program's default.
OWN = "W"
DEFAULT = "Q"
# Is, was, seems: joins too.
BEING = "v"
# Was: joins too, unless what was so is no more.
PAST = "V"
# The same, and asks for it, or says that it was used: use, try, recommend, trained, made.
USE = "u"
# The same, and approves: also, works, good.
GOOD = "a"
# The same, and a condition: for, if, when.
FOR = "r"
WHEN = "i"
CONDITION = "I"
# Otherwise, because: what follows is not said of the number.
ELSE = "C"
# Other models and people: what they use is not recommended here.
OTHERS = "S"
TO = "T"
OR = "o"
AND = "&"
# A word that neither asks for a number nor takes one back.
NEUTRAL = "n"
# Another setting, whose own number stands beside it.
SETTING = "s"
# What numbers count.
THING = "t"
# A model's name, which may end in a number.
MODEL = "m"
THAT = "h"
WHAT_IS = "q"

_WORDS = {
    FORMER: (
        "测试了 試了 试了 left: left_picture left_image left_side right_picture right_image right_side "
        "on_the_left "
        "on_the_right 左图 右图 until_last until_recently still_had still_used quoting might_be_using may_be_using "
        "must_be_using probably_using grids in_contrast_to last_time next_version in_the_future in_the_past back_in "
        "comparison comparisons compare "
        "grid plot früher auparavant antes anterior* précédent* my_bad oops beta axis mistake* accident* forgot "
        "misunder* misconception* myth* previously formerly used_to until_now older former previous earlier originally "
        "initially back_then old anymore any_more "
        "раньше прошл* "
        "以前 之前 でしたが "
        "예전"
    ),
    NOT: (
        "if_you_must if_you_really_must if_you_really_have_to far_from problem_with problems_with issues_with "
        "away_from why_would why_bother why_should stop* keep_away "
        "little_point more_testing moins menos nie* etmi* etmez* olmaz* çalışmı* çalışmaz* önermi* önermem sakın "
        "no_one less barely scarcely rarely_works seldom few no_impact no_benefit no_influence no_advantage "
        "no_difference no_improvement no_change no_help kullanılmama* kullanılmaz kullanılmıyor refrain* abstain* quit "
        "ditch* discard* abandon* dump* gave_up give_up got_rid get_rid rid no_sense oppose* dislike* hate hates "
        "deactivat* switch_off turned_off turns_off turning_off steer_clear contrary compared_to none nope nah fixes "
        "rate_von meide* verzicht* lieber_nicht ausschalt* abschalt* désactiv* pare_de deja_de disattiva* wyłącz* "
        "kapat* matikan tắt bỏ untested stay_away beware nichts rien nulla nada nic not never cannot avoid* against "
        "disable* turn_off forget_about nothing nobody neither nor hardly not_a_fan_of ignore remove* unlike no_good "
        "no_use no_need no_longer no_more no_reason no_point no_es_necesario no_hace_falta no_recomiendo not_needed "
        "not_recommended not_advised not_necessary lose* forgotten nicht kein* vermeid* weder statt pas jamais évit* "
        "aucun* inutile* déconseill* n nunca jamás evit* tampoco desaconsej* innecesari* não nao desnecessári* mai "
        "evita* sconsiglia* inutil* non nigdy unika* żaden değil kullanma* kullanmay* kullanmam* gerek_yok gereksiz "
        "önerilm* olmamalı* yapma* olmasın istemez gerekmez gerekmiyor yok jangan tidak bukan hindari tak gak nggak "
        "không đừng chớ tránh chưa "
        "нежелат* необязат* нерекоменд* неподход* непотріб* небажан* отключ* откаж* размыт* мыло вимкн* ничего не ни "
        "никогда нельзя нет избега* ненужн* нежелательн* ні ніколи уника* немає "
        "なく 会糊 糊 崩 会崩 會崩 翻车 慎用 少用 不太 没啥 无效 没用 關閉 关闭 关掉 無効 オフ 控え 微妙 不向き 悪化 "
        "ぼやけ おかしく 不要 别 別 不用 不使用 不需 不推荐 不推薦 不建议 不建議 避免 勿 请勿 請勿 无需 無需 不必 不能 "
        "不可 没必要 沒必要 不 禁止 未 没 沒 没有 沒有 不是 ない ないで ません ありません 非推奨 だめ ダメ やめ 崩れ "
        "避け ず "
        "끄 꺼 별로* 않* 안됩* 안돼* 안되* 마세요 마십시오 말* 없* 비추* 안 못* 아니* 아닌* 금지* 불필요* 비권장* 하지 "
        "쓰지 사용하지 피하* 피해* "
        "ไม่ อย่า ห้าม "
        "عدم لا ليس ليست لم لن تجنب غير"
    ),
    BAD: (
        "skip_it skip_that hard_pass negative_impact negative_effect wash* changed_her changes_her changed_his "
        "changes_his problem problems culprit yerine silly risk fall_apart falls_apart more_harm too_much too_high "
        "too_low fatal "
        "too_strong too_weak malos malas maus más_malo outdated lowers worsens decreases diminishes weakens spoils "
        "wrecks hinders limits loses_detail oversmooth* overfit* glitch* garbled distracting unnatural unrealistic "
        "incorrect wrongly unfit unsuitable inadvisable ill-advised counterproductive ugly_results trouble* struggle* "
        "suffer* risky dangerous nightmare horrible disaster meh mediocre crap nonsense washed_out overcooked "
        "overbaked deep_fried lacks missing bad_idea flawed unstable inconsistent unwanted unpleasant awful* "
        "disappoint* muddy mushy grainy pixelated fuzzy smeary unscharf schlimm* verschlechter* pire flou floue peores "
        "borros* borrad* sfocat* sfoca moche laid verschwommen niewyraźn* bulanık mờ kabur bug* lower_quality "
        "low_quality less_quality quality_loss lowers_quality reduces overrated cause* artifact* artefact* distort* "
        "blur* ugly deform* oversaturat* noisy weird crash* error* worse_than worse_then less_good bad worse worst "
        "broken break* ruin* destroy* hurt* damage* terrible wrong no-go nogo useless unnecessary unneeded "
        "incompatible unsupported off waste* overkill pointless harm* degrade* kill* mess* suck* fail* trash garbage "
        "discouraged deprecated obsolete forbidden by_accident by_mistake undesirable optional_now burn* fries fried "
        "unusable poor* inferior not_as_good no_effect schlecht* unnötig schadet verboten kaputt* überflüssig mauvais* "
        "déconseillé* casse abîme mal malo mala peor rompe arruina empeora ruim pior quebra estraga estragam peggio* "
        "rovina psuj* gorszy źle buruk jelek merusak rusak kötü bozar bozuyor bozuk xấu hỏng "
        "плох* хуже лома* порт* погано гірше псує "
        "よりも より 模糊 崩坏 崩壞 变差 變差 糟糕 難しい 悪い 悪く "
        "대신 보다 흐려* 망가* 나쁩* 나쁘* 깨집* 깨져* "
        "แตก แย่ "
        "سيئ سيئة"
    ),
    WITHOUT: ("without w/o unless ohne sans sin sem senza bez tanpa olmadan thiếu без ถ้าไม่มี بدون"),
    INSTEAD: (
        "changed_from lowered_from raised_from reduced_from switched_from moved_from beats beat instead_of rather_than "
        "over than anstatt anstelle als plutôt_que au_lieu_de en_vez_de en_lugar_de que_no do_que em_vez_de "
        "ao_invés_de invece_di anziché niż zamiast daripada thay_vì hơn "
        "вместо чем замість ніж "
        "而不是 "
        "แทน กว่า "
        "بدلا_من"
    ),
    OTHER_THAN: (
        "other_than anything_but anything_except except except_for apart_from außer autre_que distinto_de diferente_de "
        "diverso_da oprócz dışında selain ngoài "
        "кроме крім "
        "以外 除了 "
        "제외* 이외* "
        "نอกจาก"
    ),
    ABOVE: (
        "above beyond higher_than higher_then greater_than more_than bigger_than larger_than über höher_als mehr_als "
        "plus_de supérieur_à más_de mayor_que mais_de maior_que più_di powyżej üstü di_atas lebih_dari trên "
        "выше больше вище більше "
        "高于 大于 超过 超過 高於 以上 "
        "이상 초과 "
        "มากกว่า "
        "أكثر_من"
    ),
    BELOW: (
        "below under lower_than lower_then less_than smaller_than unter weniger_als moins_de inférieur_à menos_de "
        "menor_que meno_di poniżej altı di_bawah kurang_dari dưới "
        "ниже меньше нижче менше "
        "低于 小于 低於 少于 以下 未満 "
        "이하 미만 "
        "น้อยกว่า "
        "أقل_من"
    ),
    UNDONE: (
        "no_secret no_wonder worry_about only just hesitate worry miss afraid mind bad_at problem* wrong_with "
        "nur seulement solo sólo "
        "apenas só solo_che tylko kan "
        "только тільки "
        "仅 只 れ "
        "ى"
    ),
    FORGET: (
        "regret* forget vergessen vergiss vergesst oublie* olvide* esqueça esquece dimentica* zapomnij* unutma* lupa "
        "lupakan quên "
        "забудь* забыва* забувай* "
        "忘记 忘記 忘了 忘 忘れ "
        "잊지 잊* "
        "ลืม "
        "تنس تنسى"
    ),
    ENOUGH: ("enough genug assez suficiente abbastanza достаточно"),
    BUT: (
        "but however while whereas then now aber sondern mais pero sino mas senão però ma ale ama fakat tetapi tapi "
        "nhưng yet though although "
        "но а але "
        "但 但是 而 而是 ただし ですが しかし "
        "그러나 하지만 "
        "แต่ "
        "ولكن لكن"
    ),
    ELSE: (
        "otherwise so because since sonst denn sinon altrimenti inaczej yoksa kalau_tidak "
        "иначе інакше "
        "ないと 否则 否則 "
        "아니면"
    ),
    OTHERS: (
        "of_you generator generators models loras checkpoints merges users tester testers other others people everyone "
        "everybody users_use say "
        "says told heard wrote said someone those user as_if similar_to more_like you're you_are do_you are_you anyone "
        "novelai andere anderen leute autres gente otros otras outros altri "
        "говорят другие другой "
        "其他 别的 很多人 有人 他の みんな "
        "다른"
    ),
    WHAT_IS: (
        "vs versus uses_all uses_the_last uses_every because_of due_to about means equals what_is what_are what_does "
        "what_do "
        "whats what's was_ist qu'est-ce_que "
        "qué_es "
        "что_такое"
    ),
    USE: (
        "connect attach insert använd* reccom* doporuč* προτείνω συνιστ* aanbevol* rekommend* anbefal* ajánl* suosit* "
        "si_consiglia se_recomienda "
        "se_recomenda necesit* precis* uży* kullanmak* kullanmanız* crank dial drop lower "
        "ran suka menyukai thích yêu sugiro sugger* suggér* sugier* sugeru* suger* usei usamos potrzebn* saran* "
        "préfér* "
        "menyarankan creating create creates making render rendering generat* optimiz* optimis* prefiero prefiro "
        "preferisco préfère preferimos bevorzug* wolę tercih lebih_suka thích_dùng shown pairs chose decided decide "
        "kullanıl* usate usato usiamo usino went opted opting settled settle choice_is rely advise_you manten* tenete "
        "tener mantene* behält behalt* lassen gebrauch* setzen_sie zostaw* bırak* biarkan giữ experiment play learning "
        "learned changing selected chosen choosing trying running select used_with pair paired combine combined "
        "lowering raising add adding trained retrained train training made rendered created produced tested designed "
        "intended meant suited built based enable enabled activate remember sure same switch bump raise higher go_with "
        "went_with find found put prefers like likes love loves trainiert entraîné* entrenad* treinad* addestrat* "
        "trenowan* wytrenowan* eğitil* eğitti* dilatih huấn_luyện usare préférable ergebnisse bitte aktivier* leave_it "
        "keep_it set_it put_it left_it leaving_it keeping_it setting_it i'd_say i_would_say i_like kullanman* use used "
        "uses using try tried prefer preferably preferred recomm* consider* suggest* advise* advice want wants take "
        "takes choose pick opt stick why_not can't_go_wrong_with can't_decide going preference recomend* recomiend* "
        "aconsej* us[ar] usa usar usad* use_se usando uso usem utili* prueba probar conseil* recommand* essaye* "
        "consigli* raccomand* experimente prova* nutz* benutz* verwend* empf* nehm* nimm probier* wähl* brauch* używa* "
        "użyj* zalec* polec* spróbuj* kullan* öner* dene* tavsiye gunakan pakai disarankan rekomendasi coba memakai "
        "menggunakan dùng khuyên khuyến_nghị sử_dụng thử đề_xuất "
        "бажано люблю предпочит* поставил* держите ставим обуч* трен* тренува* активир* использ* рекоменд* совет* "
        "пробу* попробу* ставлю юзаю юзайте юзать беру берите використ* раджу "
        "好き 喜欢 喜歡 偏好 个人喜欢 個人喜歡 开启 開啟 打开 打開 保持 選用 选用 开 拉到 設 调 適用 适用 适合 適合 "
        "固定 必須 指定 にして 変更 使用 用 推荐 推薦 荐 薦 请用 請用 改用 采用 採用 尝试 嘗試 試 试 推奨 おすすめ "
        "オススメ お勧め 使って 使い 使う 使用して います お願いします "
        "좋아* 씁니다 습니다 필수 고정 만들* 학습* 생성* 샘플* 사용* 추천* 권장* 쓰* 써* 쓰세요 "
        "ชอบ ใช้ แนะนำ ลอง "
        "استخدام* التدريب استخدم* أستخدم استعمل* نستخدم أنصح يفضل يوصى جرب"
    ),
    GOOD: (
        "happiest ewentualnie eventuell éventuellement eventualmente разницы_нет разницы_почти_нет нет_разницы "
        "без_разницы viene_meglio va_meglio è_meglio funziona_meglio popular flatter matter matters obligatoire* "
        "obligatori* ftw "
        "zorunlu wajib bắt_buộc obowiązkow* konieczn* "
        "verpflichtend unbedingt imprescindible essenciel* indispensable* esencial essencial essenziale better_off "
        "get_away_with keeps gets_you no_reason_to_avoid won't_hurt wont_hurt wouldn't_hurt more brings_out brings "
        "makes_it_more wins ideally usable viable decent fantastic wonderful gorgeous beautiful enhances enhance "
        "boosts favors favours sufficient suffices suitable_for adequate pleasing smoother crisper cleaner nicest "
        "sharpest a_few in_rare_cases rare in_some_cases nothing_beats nothing_better_than no_reason_not_to counts "
        "works_best shines better_for improves_on awesome amazing excellent superb lovely solid effective wonders "
        "charm preferable beneficial optimum spot_on getestet hervorragend super toll parfait meilleur meilleurs "
        "meilleure mejor mejores óptimo excelente ótimo melhor melhores migliore migliori ottimo najlepsz* świetn* "
        "baik terbaik en_iyisi iyi tốt_nhất compatible interesting enjoyable pretty favourable advisable success "
        "improve* performs perform responds respond detailed accurate stylised stylized realistic artistic creative "
        "standard normal key essential must crucial important necessary faithful consistent vivid soft sharp smooth "
        "clean crisp stable reliable safe natural expressive painterly sweet_spot the_way back_and_forth pflicht "
        "wichtig nötig rarely occasionally most_of_the_time also too as_well works work worked working fine ok okay "
        "good great possible recommended best better nicer nice perfect sharper softer okay_too acceptable help helps "
        "not_bad not_optional off_course of_course without_a_doubt without_doubt no_doubt mandatory suitable ideal "
        "optional sometimes even maybe perhaps possibly alternatively auch geht gut besser möglich funktioniert aussi "
        "bien marche fonctionne también funciona va sirve também anche bene funziona też działa dobrze de_olur olur "
        "bisa_juga juga bagus cũng được tốt OK "
        "лучше обязател* обов'язков* отличн* лучший лучшие прекрасн* лучше_всего реже тоже также хорошо нормально "
        "подойд* работает допустимо також працює "
        "問題ありません 問題ない 没问题 最佳 最好 較好 较好 很好 极佳 極佳 動き 動作 最適 ベスト 最高 区别不大 "
        "差别不大 差不多 也 也可以 也行 也可 更好 效果 都可以 都行 可以的 均可 亦可 即可 すぎない も可 可 可能 良い "
        "いい 大丈夫 どちら 也能 也不错 不错 "
        "사이 모두 둘다 다 제일 가장 도 가능* 좋* 괜찮* 됩니다 "
        "ดีที่สุด ก็ได้ ได้ ดี "
        "أفضل الأفضل أيضا يعمل جيد"
    ),
    TO: (
        "thru to till until through up_to a à bis bis_zu hasta até fino_a đến sampai hingga до 到 至 から 부터 ถึง إلى"
    ),
    AND: ("as_well_as plus and und et y e i ve và dan ed и і та 和 与 與 及 跟 と や 및 와 과 และ و"),
    OR: (
        "or and/or oder ou o u albo lub oppure atau veya ya_da hoặc hay und/oder y/o e/ou "
        "либо или або чи "
        "或 或者 か または もしくは でも "
        "또는 이나 나 혹은 "
        "หรือ "
        "أو"
    ),
    FOR: ("for für pour para per för dla için untuk cho для の場合 위해 สำหรับ لـ من_أجل"),
    WHEN: (
        "avec con mit com dengan ile in on at depending with during where bei przy khi "
        "с со при коли "
        "なら 时 時 "
        "일_때 때"
    ),
    CONDITION: ("si se if when cuando quand quando wenn jeśli eğer jika nếu если якщо 如果 的话 ถ้า إذا"),
    SETTING: (
        "cfg cfg_scale scale guidance guidance_scale steps step samplers sampling hires highres hires.fix upscal* "
        "denois* weight weights strength batch eta ensd seed noise resolution size vae dim rank alpha epoch epochs lr "
        "repeats vpred detailer adetailer controlnet scheduler sigma width height rescale schritte pasos passos passi "
        "étapes étape kroki kroków adım* langkah bước repeat vectors token tokens clip_l clip_g opacity fps tile "
        "шаг* крок* "
        "步数 步數 采样 採樣 迭代 权重 權重 高清修复 高清修復 高分辨率修复 高解析度修復 ステップ サンプラー 重み "
        "스텝 샘플러 가중치 "
        "ขั้นตอน ดอ "
        "خطوة خطوات"
    ),
    THING: (
        "levels that_one testing author authors click clicks way ways choice image images picture pictures "
        "pic pics sample samples time times seconds minute minutes hour hours day days week weeks month months year "
        "years version versions model lora loha locon girl girls boy boys man men woman women preview previews "
        "embedding embeddings persons person vote votes friend friends of_the of_many of_all of_our out_of of_my "
        "of_these of_them of_us gb mb px pixel pixels vram point points style styles thing things part parts chapter "
        "section post posts page pages example examples prompt prompts character characters outfit outfits checkpoint "
        "merge dataset datasets photo photos file files download downloads review reviews like_s effects effect reason "
        "reasons star stars frame frames tutorial guide upscale january february march april june july august "
        "september october november december pass passes triggers words attempt attempts try_s run_s variant variants "
        "type types options setting_s settings_s place places bilder bild bildern modelle modellen jahre tage imágenes "
        "imagenes modelos imagens images_de modèles immagini modelli obraz* modeli wersj* görsel* gambar hình ảnh "
        "mô_hình "
        "картин* изображени* модел* раз версии версия образів зображень версії "
        "张 張 枚 倍 次 步 个 個 月 年 日 时间 分 秒 種 种 人 点 ヶ月 回 つ "
        "장 개 번 명 년 월 일 "
        "ภาพ "
        "صور صورة"
    ),
    MODEL: (
        "sampler euler dpm ddim unipc lms heun karras sd sdxl xl flux pony illustrious noobai stable_diffusion sd_1.5 "
        "a1111 webui nai"
    ),
    THAT: "that which depends depend",
    PAST: (
        "look_the_same looks_the_same look_identical looks_identical became was were had_been war était era fue foi "
        "było byl был была"
    ),
    BEING: (
        "look_like looks_like make makes do does gives give look looks is are be been seems seem ist sind wird est "
        "sont es son é são è sono "
        "jest są "
        "会 だと "
        "하면"
    ),
    OWN: "the_new_one the_current_one this this_one mine my ours our",
    DEFAULT: "default by_default",
    JOINING: (
        "pls plz ofc imo imho tbh thx yes yep back you_probably_forgot you_forgot fica viene at_most what_i "
        "more_or_less had hãy you want_to anywhere locked ich "
        "wir habe haben hat je nous "
        "vous ai "
        "avons yo hemos he_usado tu eu nós io ho abbiamo ja saya aku kami tôi mình bạn ben biz her_zaman bleib* "
        "einstell* eingestellt zu arası arasında steht stehen il_faut hay_que bisogna occorre stays stayed remain "
        "remains remained sits lies equals_to corresponds option personal tra fra zwischen ab von od từ dari desde "
        "usually z ze ist_auf bitte_auf ya saja thì probably slightly almost very really quite somewhat rather kind_of "
        "absolutely typically particularly especially what ficar e.g. i.e. z.b. please always an any anything whatever "
        "around as being between both can could defaults either equal exactly from generally go goes has have "
        "having here i'm i'd i've it its it's kept layer layers least leave left level node max maximum may me might "
        "min minimum minus mostly need needs needed number of one's optimal own parameter personally ratio "
        "required requires scale_of set sets setting settings should slider somewhere stay suggested taste the up "
        "usual value values we will would your also_at mine by approximately ca range ranges configured accustomed "
        "strictly recommended_setting because_i than_usual his their these all images_at turn change changed raised "
        "lowered increase increased decrease decreased adjust adjusted reduce run keep keeping current currently "
        "simply amount he she they al de del en entre está debe debería estar igual pon* puede puedes puesto que ser "
        "siempre tiene valor ajusta* ajuste configura* configurad* deja* fijad* deve deveria em pode por sempre tem "
        "coloque colocar defin* deixe deixar au doit doivent devrait être mettre mettez mieux peut réglé* règle* "
        "réglez régler sur toujours valeur fixe* le la les el los o_valor il lo un una une um uma di dovrebbe essere "
        "impost* messo messa metti metto tieni mantieni meglio può su valore nel alla mantén manter tenere laisse* den "
        "den_wert am auf beim besten kann muss sein soll sollte wert stell* setz* immer der die das dem einen einem "
        "ein eine gestellt gesetzt lass* er är med på op van sätt brug być może na najlepiej powinien powinno ustaw* "
        "wartość zawsze musi w değeri değerini her zaman olarak olmalı* olsun ayarla* ayarı ayarını yap* ı yi yı ye "
        "seviyesi adalah bisa harus ke nilai setel atur sebaiknya selalu pada diatur diset jadi angka bằng có để đặt "
        "giá là luôn mức nên phải thể trị ở về chỉnh thành khoảng cài với "
        "я мы ми вы от від быть держ* держи* выстав* должен должно желательно значени* можно на нужно нужен "
        "обязательно параметр* постав* равен равно став* стоит установ* всегда в из для_меня у меня стоял* стандартн* "
        "по умолчанию этом этой бути має значення краще можна потрібно обов'язково завжди рівн* варто "
        "从 從 为 為 设 置 定 数 數 值 是 調 成 须 須 必须 默认 默認 倒 第 于 於 在 层 層 開 改 请 請 一般 通常 建议 "
        "建議 把 将 將 终止 終止 设置 設置 設定 设定 跳过层数 我 都 的 值为 填 选 選 选择 選擇 处 可以 尽量 都是 均 "
        "均为 要 一定 务必 參數 参数 直接 习惯 习惯于 比较 拉 调整 必要 は を に が も の で 必ず 値 数値 くらい "
        "ぐらい 程度 ください して し する すると 常に あたり まま 基本 だいたい 私 です いつも たぶん "
        "은 는 을 를 로 으로 이 가 값* 항상 설정* 기본* 맞춰* 맞추* 두* 놓* 해주* 하세요 반드시 꼭 에 에서 정도* "
        "입니다 수치* 레벨* 하시* 권장값* 보통 주로 저는 "
        "ผม ฉัน จาก ตั้ง ตั้งค่า เป็น ที่ ค่า ควร ปรับ คือ อยู่ ไว้ เท่ากับ ระดับ ไปที่ "
        "أنا نحن ضع اختر يرجى يساوي تساوي هي أن في_ما تم الموصى به المفضل على قيمة هو يكون يجب اضبط ضبط دائما في من"
    ),
    NEUTRAL: (
        "the_other_half before else results result most many flat first second results_in leads_to lead_to tests "
        "not_much "
        "nothing_special nothing_else nothing_fancy note notes noted notice tip tips hint info btw fyi ps edit update "
        "updates think believe guess feel feels felt mean hope remind check ensure ensuring move drag slide start "
        "starts started continue switched flip applied include included including mention mentioned write did done get "
        "gets got getting happy glad fan opinion experience view favorite overall basic follow follows followed_by "
        "following showcase gallery cover thumbnail artwork artworks anime realism cartoon manga painting paintings "
        "portrait portraits landscape landscapes quality detail details face faces hand hands eye eyes hair body skin "
        "light lighting background color colors contrast styled everything something who whose how why there again "
        "still such another similar different new latest final last next after within base basemodel creator "
        "default_is default_settings comfyui comfy forge invokeai user_interface ui interface tab bar top "
        "quicksettings quick advanced dropdown box field open click_on look_for find_the trick mix mixes merged "
        "merging blend lot bunch much some all_of each every half rest majority part_of work_with combination setup "
        "set_up config configuration parameters params argument arguments args command flag line usage know knows "
        "known trying_out explore simple short long tags tag tagging tagged sentence sentences prompting prompted "
        "negative positive keyword keywords activation generation generations output outputs inference "
        "不同"
    ),
    NO: "no ningún sin_ninguna nessun nenhum żadne",
}


def words(part: str) -> Iterator[str]:
    """The words that play `part`, "*" for any ending."""
    return (word.replace("_", " ") for word in _WORDS[part].split())


PARTS = tuple(_WORDS)
